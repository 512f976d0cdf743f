import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { HomePaths } from './home.ts';

/** Where the running system is: `run/runtime.json`, written by `up`, removed by `down`. */
export const Runtime = z.object({
  url: z.string(),
  /** Is the NATS server ours, started by `up`? */
  embedded: z.boolean(),
  nkeyFile: z.string().optional(),
  credsFile: z.string().optional(),
  caFile: z.string().optional(),
  certFile: z.string().optional(),
  keyFile: z.string().optional(),
  /** Who keeps the daemons running: PM2, or the process of `up --foreground`. */
  supervisor: z.enum(['pm2', 'foreground']),
  /** The process of `up --foreground`. */
  supervisorPid: z.number().int().positive().optional(),
  /** The agents that belong to the system, for instance `coder-1`. */
  agents: z.array(z.string()),
  /** The name each process has in PM2, by agent id; `nats` for the server. */
  names: z.record(z.string(), z.string()),
  /** The process each had when `up` last saw it; a later restart is not in here. */
  pids: z.record(z.string(), z.number().int()),
});
export type Runtime = z.infer<typeof Runtime>;

/** What `up` left, or undefined: not up on this host, or the file is not one. */
export async function readRuntime(paths: HomePaths): Promise<Runtime | undefined> {
  const text = await readFile(paths.runtimeFile, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return Runtime.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeRuntime(paths: HomePaths, runtime: Runtime): Promise<void> {
  await writeFile(`${paths.runtimeFile}.new`, `${JSON.stringify(runtime, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${paths.runtimeFile}.new`, paths.runtimeFile);
}

export async function removeRuntime(paths: HomePaths): Promise<void> {
  await rm(paths.runtimeFile, { force: true });
}
