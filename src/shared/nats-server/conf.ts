import { statfs } from 'node:fs/promises';
import { type NatsUser, renderAccounts } from './accounts.ts';

export interface NatsServerSettings {
  readonly serverName: string;
  readonly port: number;
  /** Who may connect; everybody else is refused. */
  readonly users: readonly NatsUser[];
  readonly storeFolder: string;
  readonly pidFile: string;
  readonly logFile: string;
  /** The most JetStream may keep on disk, in MB. */
  readonly maxStoreMb: number;
}

const MOST_STORE_MB = 100_000;
const LEAST_STORE_MB = 256;

/**
 * The embedded server's config file. `sync_interval` stays at the server's default of two minutes: `always` costs all but a fifth to a
 * fifteenth of the publish rate, a killed server loses nothing either way, and only a power cut can; see docs/decisions/nats-sync.md.
 */
export function renderNatsConfig(settings: NatsServerSettings): string {
  const quote = (value: string): string => JSON.stringify(value);
  return `# Written by \`multi-agent up\`; edits do not last.
server_name: ${quote(settings.serverName)}
listen: "127.0.0.1:${String(settings.port)}"
pid_file: ${quote(settings.pidFile)}
log_file: ${quote(settings.logFile)}
logfile_size_limit: 10MB
max_payload: 8MB
write_deadline: "10s"
jetstream {
  store_dir: ${quote(settings.storeFolder)}
  max_memory_store: 256MB
  max_file_store: ${String(settings.maxStoreMb)}MB
}
${renderAccounts(settings.users)}`;
}

/** What a configuration says of `maxStoreMb`: a running server takes no other by a reload. */
export function storeLimitIn(config: string): number | undefined {
  const limit = /max_file_store: (\d+)MB/.exec(config)?.[1];
  return limit === undefined ? undefined : Number(limit);
}

/**
 * How much JetStream may take of the disk that holds `folder`, in MB: nine tenths of what is free, so that the store says "no" before the
 * disk does. A stream that met a full disk stays wedged until the server restarts.
 */
export async function storeLimitMb(folder: string): Promise<number> {
  const disk = await statfs(folder);
  const freeMb = Math.floor((disk.bavail * disk.bsize) / 1_000_000);
  return Math.min(MOST_STORE_MB, Math.max(LEAST_STORE_MB, Math.floor(freeMb * 0.9)));
}
