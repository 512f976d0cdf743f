import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { messageOf, TerminalError } from '../../errors/errors.ts';
import { findProgram } from '../find-program.ts';
import { runProcess } from '../run-process.ts';
import type { SandboxLimits } from './bubblewrap.ts';
import { bubblewrapSandbox } from './bubblewrap-sandbox.ts';
import { type Sandbox, UNSAFE } from './sandbox.ts';

export interface SandboxOptions {
  /** `MULTI_AGENT_HOME`: nothing in it is shown but a run's own folders. */
  readonly home: string;
  /** The agent that it is for. Default: nobody in particular. */
  readonly agentId?: string | undefined;
  /** `MULTI_AGENT_UNSAFE_NO_SANDBOX`: there is none, even where there could be. */
  readonly unsafe: boolean;
  /** Further paths that can be read inside (`MULTI_AGENT_SANDBOX_READ`): a toolchain in somebody's home. Default: none. */
  readonly readable?: readonly string[] | undefined;
  /** Default: 2,048 processes, files of 4 GB, an hour of every processor for each process, 1 GB in each folder that lies in memory. */
  readonly limits?: Partial<SandboxLimits> | undefined;
  /** Where bubblewrap is looked for. Default: the system's folders, never the daemon's own PATH. */
  readonly searchPath?: string | undefined;
}

const GB = 1024 ** 3;
const DEFAULT_LIMITS: SandboxLimits = {
  processes: 2_048,
  fileBytes: 4 * GB,
  cpuSeconds: 3_600 * availableParallelism(),
  memoryFileBytes: GB,
  openFiles: 16_384,
};
const PROBE_MS = 10_000;
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * The sandbox of this machine: bubblewrap, where it is installed and may make namespaces. It is tried out, so that what is wrong is known
 * before something has to be run. With neither that nor `unsafe`, what comes back refuses every run and says what to do.
 */
export async function openSandbox({
  home,
  agentId = '',
  unsafe,
  readable = [],
  limits,
  searchPath = SYSTEM_PATH,
}: SandboxOptions): Promise<Sandbox> {
  if (unsafe) return UNSAFE;
  const program = findProgram('bwrap', searchPath);
  if (program === undefined) return refusing('bubblewrap is not installed');
  const version = await versionOf(program);
  const sandbox = bubblewrapSandbox({
    program,
    version,
    user: `${home} ${agentId}`,
    hidden: [home],
    readable,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  const fault = await faultOf(sandbox);
  return fault === undefined ? sandbox : refusing(`bubblewrap can't make a sandbox here (${fault})`);
}

async function versionOf(program: string): Promise<string> {
  const said = await promisify(execFile)(program, ['--version'], { timeout: PROBE_MS }).catch(() => undefined);
  return /\d[\d.]*/.exec(said?.stdout ?? '')?.[0] ?? 'of an unknown version';
}

async function faultOf(sandbox: Sandbox): Promise<string | undefined> {
  try {
    const { wrap } = await sandbox.enter({ writable: [] });
    const tried = await runProcess({ argv: ['/bin/true'], cwd: '/', mark: 'sandbox:probe', wallMs: PROBE_MS, wrap });
    return tried.exitCode === 0 ? undefined : tried.stderr.trim() || 'it ended without a word';
  } catch (error) {
    return messageOf(error);
  }
}

function refusing(why: string): Sandbox {
  const message = `Nothing is run without a sandbox: ${why}. Install bubblewrap ("apt-get install bubblewrap"; it needs user namespaces, or root), or set MULTI_AGENT_UNSAFE_NO_SANDBOX=1 to do without`;
  return {
    description: `none: ${why}`,
    isolates: false,
    refusal: message,
    enter: () => Promise.reject(new TerminalError('no_sandbox', message)),
  };
}
