import type { RunnerTask } from '../runner.ts';
import { runProcess } from '../../process/run-process.ts';

/** The versions of Claude Code that this adapter was tested with, by `npm run test:clis` and by recordings. */
export const TESTED_VERSIONS = { first: '2.1.197', last: '2.1.329' } as const;
/** From this one on a conversation is found from any working directory; before, only from its own. (When that came is not known.) */
const RESUMES_ANYWHERE = '2.1.329';
const VERSION_MS = 20_000;

/**
 * The version that `claude --version` says; undefined where it says none. It is run as it is, outside of any sandbox: by whoever installed it.
 *
 * @throws what `startProcess` throws
 */
export async function claudeVersion(program = 'claude'): Promise<string | undefined> {
  const result = await runProcess({ argv: [program, '--version'], cwd: '/', mark: 'version:claude', wallMs: VERSION_MS });
  return result.exitCode === 0 ? /\d+\.\d+\.\d+/.exec(result.stdout)?.[0] : undefined;
}

/** Tells once that a version is outside of those tested. */
export function warnOfVersion(version: string | undefined, onOutput: RunnerTask['onOutput']): void {
  if (version === undefined || isTested(version)) return;
  const { first, last } = TESTED_VERSIONS;
  onOutput({ type: 'note', text: `claude ${version} was not tested with this version of multi-agent (${first} to ${last} were)` });
}

export function isTested(version: string): boolean {
  return compareVersions(version, TESTED_VERSIONS.first) >= 0 && compareVersions(version, TESTED_VERSIONS.last) <= 0;
}

export function resumesAnywhere(version: string | undefined): boolean {
  return version !== undefined && compareVersions(version, RESUMES_ANYWHERE) >= 0;
}

/** Negative where `a` is the earlier one. */
function compareVersions(a: string, b: string): number {
  const [ours, others] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  const differing = ours.findIndex((part, index) => part !== (others[index] ?? 0));
  return differing === -1 ? 0 : (ours[differing] ?? 0) - (others[differing] ?? 0);
}
