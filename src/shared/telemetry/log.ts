import { pino, type DestinationStream, type Logger } from 'pino';
import { createRedactor, type Redactor } from './redact.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  /** Which agent writes: in every line, and the name of the file. */
  readonly agentId: string;
  /** The least severe lines to keep. Default `info`. */
  readonly level?: string;
  /** Values never to be shown. More can be added to `redactor` later. */
  readonly secrets?: readonly string[];
  /** The file to write besides stdout, rotated at 10 MB, five kept. Default: stdout only. */
  readonly file?: string;
  /** Default: stdout. */
  readonly stdout?: DestinationStream;
}

export interface Log {
  readonly log: Logger;
  /** Everything the log writes goes through it. */
  readonly redactor: Redactor;
}

/** The logger of a daemon: constant messages with fields, as JSON lines. Secrets are taken out in the one sink, whoever logs them. */
export async function createLog(options: LogOptions): Promise<Log> {
  const redactor = createRedactor(options.secrets);
  const outputs = [options.stdout ?? pino.destination({ fd: 1, sync: true })];
  if (options.file !== undefined) outputs.push(await rotatedFile(options.file));
  const sink: DestinationStream = {
    write: (line) => {
      const clean = redactor.redact(line);
      for (const output of outputs) output.write(clean);
    },
  };
  return {
    log: pino({ level: options.level ?? 'info', base: { agentId: options.agentId }, timestamp: pino.stdTimeFunctions.isoTime }, sink),
    redactor,
  };
}

async function rotatedFile(file: string): Promise<DestinationStream> {
  // Imported here only: a one-off command that logs nowhere should not pay for it.
  const { default: roll } = await import('pino-roll');
  return roll({ file, size: '10m', limit: { count: 4 }, mkdir: true, sync: true, mode: 0o600 });
}
