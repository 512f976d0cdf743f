import { CommanderError } from 'commander';
import {
  InterruptedError,
  InvalidInputError,
  messageOf,
  MultiAgentError,
  NotFoundError,
  UnreachableError,
} from '../shared/errors/errors.ts';
import { type CliContext, EXIT, type ExitCode } from './context.ts';
import { visible } from './render/visible.ts';

interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Says what went wrong: `{ error }` on stdout with `--json`, else a message on stderr. @returns the exit code */
export function reportError(error: unknown, io: CliContext): ExitCode {
  const known =
    io.interrupted.aborted && !(error instanceof MultiAgentError) ? new InterruptedError('interrupted', 'Interrupted.') : classified(error);
  const report = reportOf(known);
  if (io.json()) io.printJson({ error: report });
  else io.note(forPeople(report, known));
  // A stack is for who debugs us, not for who uses us.
  if (io.env['LOG_LEVEL'] === 'debug' && error instanceof Error) io.note(error.stack ?? '');
  return exitCodeOf(known);
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof InvalidInputError || error instanceof CommanderError) return EXIT.badInput;
  if (error instanceof UnreachableError) return EXIT.unreachable;
  if (error instanceof NotFoundError) return EXIT.notFound;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  return EXIT.failed;
}

function reportOf(error: unknown): ErrorReport {
  if (error instanceof MultiAgentError) {
    const { code, message, details } = error;
    return { code, message, ...(Object.keys(details).length > 0 ? { details } : {}) };
  }
  if (error instanceof CommanderError) return { code: usageCode(error), message: usageMessage(error) };
  return { code: 'unexpected', message: messageOf(error) };
}

function forPeople(report: ErrorReport, error: unknown): string {
  if (error instanceof InvalidInputError && error.faults.length > 1) {
    return [`${String(error.faults.length)} things are wrong:`, ...error.faults.map((fault) => `  - ${visible(fault)}`)].join('\n');
  }
  const hint = error instanceof CommanderError ? '\nSee "multi-agent --help", or "multi-agent <command> --help".' : '';
  return `Error: ${report.message.split('\n').map(visible).join('\n')}${hint}`;
}

/** `commander.unknownOption` → `unknown_option` */
function usageCode({ code }: CommanderError): string {
  if (code === 'commander.help') return 'missing_command';
  return code.replace(/^commander\./, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function usageMessage(error: CommanderError): string {
  return error.code === 'commander.help' ? 'Which command?' : error.message.replace(/^error: /, '');
}

/** What the NATS client throws, by name: importing its classes would load it where it is not needed. */
const NO_ANSWER = ['NoResponders', 'RequestError', 'TimeoutError', 'ClosedConnectionError', 'DrainingConnectionError', 'ConnectionError'];
const NOT_ALLOWED = 'PermissionViolationError';
const NOT_PROVISIONED = ['NoResponders', 'JetStreamNotEnabled', 'StreamNotFoundError'];

function classified(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof MultiAgentError) return error;
  const names = [error.name, error.cause instanceof Error ? error.cause.name : ''];
  if (names.includes(NOT_ALLOWED)) {
    return new UnreachableError(
      'nats_refused',
      `NATS does not let our credential do that (${error.message}). Commands need the operator's: check NATS_NKEY_FILE.`,
      { cause: error },
    );
  }
  if (names.some((name) => NOT_PROVISIONED.includes(name)) || /no responders|stream not found/i.test(error.message)) {
    return new UnreachableError(
      'not_provisioned',
      'NATS answers, but has none of our streams. Start the system with "multi-agent up"; on a server of your own: "multi-agent topology --apply".',
      { cause: error },
    );
  }
  if (names.some((name) => NO_ANSWER.includes(name))) {
    return new UnreachableError(
      'nats_unreachable',
      `NATS does not answer (${error.message}). Is it running? Start it with "multi-agent up", or check NATS_URL.`,
      {
        cause: error,
      },
    );
  }
  return error;
}
