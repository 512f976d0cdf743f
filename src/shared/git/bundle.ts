import type { CommitId } from '../domain/ids.ts';
import { MultiAgentError, TerminalError } from '../errors/errors.ts';
import { bundleHeader, bundleRefused, type BundleHeader, type BundleTip, parseBundle } from './bundle-format.ts';
import type { Git } from './git.ts';
import { missingObjects } from './inspect.ts';
import { STRICT } from './strict.ts';
import { revisions } from './transfer.ts';

/** The largest bundle that is made or taken (bytes). It is held in memory. */
export const MAX_BUNDLE_BYTES = 1024 * 1024 * 1024;

export interface ReceiveOptions {
  /** The largest bundle that is taken, in bytes; its objects may not take more either. */
  readonly maxBytes: number;
  /** The commit that the bundle must bring. */
  readonly expectedTip: CommitId;
  /** A commit that the tip must descend from (or be). */
  readonly descendsFrom?: CommitId;
  readonly signal?: AbortSignal;
}

/** A bundle needs commits that the receiver does not have: the sender is to be asked for a fuller one. */
export class MissingPrerequisitesError extends TerminalError {
  readonly missing: readonly CommitId[];

  constructor(missing: readonly CommitId[]) {
    super('bundle_prerequisites_missing', `The bundle needs ${String(missing.length)} commits that are not here.`, {
      details: { missing },
    });
    this.missing = missing;
  }
}

/**
 * Makes a bundle of `tips` and all they reach, without what `prerequisites` reach. One process. It is a bundle for stock
 * git too (`git bundle verify`, `git fetch <file>`). Prerequisites must be in this repository; those that are not may be
 * found with `missingObjects` before.
 */
export async function createBundle(git: Git, header: BundleHeader, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array> {
  const wanted = header.tips.map((tip) => tip.id);
  const { stdout } = await git.runBytes(['pack-objects', '--revs', '--stdout', '--thin', '--delta-base-offset', '-q'], {
    ...options,
    maxBytes: MAX_BUNDLE_BYTES,
    input: revisions(wanted, header.prerequisites),
  });
  return Buffer.concat([Buffer.from(bundleHeader(header), 'latin1'), stdout]);
}

/**
 * Takes a bundle's objects into the repository; no ref moves. Idempotent.
 *
 * Throws `MissingPrerequisitesError`, or `TerminalError` `bundle_refused` for one that is too large, truncated, forged,
 * whose objects git's fsck finds fault with, that does not bring `expectedTip`, or whose tip does not descend from
 * `descendsFrom`. What of its objects was stored before a refusal is reachable from nowhere.
 */
export async function receiveBundle(git: Git, bytes: Uint8Array, options: ReceiveOptions): Promise<{ tips: readonly BundleTip[] }> {
  if (bytes.byteLength > options.maxBytes) {
    throw bundleRefused(`it has ${String(bytes.byteLength)} bytes and may have ${String(options.maxBytes)}`);
  }
  const bundle = parseBundle(bytes);
  if (!bundle.tips.some((tip) => tip.id === options.expectedTip)) throw bundleRefused(`it does not bring ${options.expectedTip}`);
  if (bundle.objects > 0) await storePack(git, bundle.pack, bundle.prerequisites, options);
  await checkTip(git, bundle.prerequisites, options);
  return { tips: bundle.tips };
}

async function storePack(git: Git, pack: Uint8Array, prerequisites: readonly CommitId[], options: ReceiveOptions): Promise<void> {
  const args = ['index-pack', '--stdin', '--fix-thin', STRICT, `--max-input-size=${String(options.maxBytes)}`];
  try {
    await git.runBytes(args, { input: pack, ...signalOf(options) });
  } catch (error) {
    // Only now, since a good bundle must not pay for it: was it missing something, or is it bad?
    throw await refusal(git, prerequisites, error);
  }
}

/** One process says that the tip is there, is a commit, and comes from where it must. */
async function checkTip(
  git: Git,
  prerequisites: readonly CommitId[],
  { expectedTip, descendsFrom, ...options }: ReceiveOptions,
): Promise<void> {
  const args = ['merge-base', '--is-ancestor', '--end-of-options', descendsFrom ?? expectedTip, expectedTip];
  let exitCode: number;
  try {
    ({ exitCode } = await git.run(args, { answers: [0, 1], ...signalOf(options) }));
  } catch (error) {
    throw await refusal(git, prerequisites, error);
  }
  if (exitCode === 1) throw bundleRefused(`its commit ${expectedTip} does not descend from ${String(descendsFrom)}`);
}

async function refusal(git: Git, prerequisites: readonly CommitId[], error: unknown): Promise<unknown> {
  if (!(error instanceof MultiAgentError) || error.code !== 'git_failed') return error;
  const missing = await missingObjects(git, prerequisites);
  if (missing.length > 0) return new MissingPrerequisitesError(missing);
  return bundleRefused(`git found a fault in it (${error.message})`, error.details);
}

function signalOf({ signal }: { readonly signal?: AbortSignal }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
