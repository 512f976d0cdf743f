import { knownHomeId } from '../../shared/config/home-id.ts';
import { homePaths } from '../../shared/config/home.ts';
import type { Job } from '../../shared/domain/job.ts';
import { detailsOf } from '../../shared/domain/view.ts';
import { messageOf } from '../../shared/errors/errors.ts';
import { openJobReader } from '../../shared/messaging/job-reader.ts';
import type { CliContext } from '../context.ts';
import { detailLines, type ShownDiff } from '../render/job-details.ts';
import { styleFor } from '../render/style.ts';
import { parseJobId, requireJob } from './job-id.ts';

/** `show`: everything about a job; with `--json` the job's shape and `{ feature, summary?, commits, filesChanged, reviews, diff?, diffNote? }`. */
export async function show(io: CliContext, id: string): Promise<void> {
  const jobId = parseJobId(id);
  const { job } = await requireJob(await openJobReader(await io.connect()), jobId);
  const diff = await diffOfJob(job, (await io.config()).home);
  const details = detailsOf(job);
  if (io.json()) {
    io.printJson({
      ...details,
      ...(diff.text === undefined ? {} : { diff: diff.text }),
      ...(diff.note === undefined ? {} : { diffNote: diff.note }),
    });
    return;
  }
  for (const line of detailLines(details, diff, await styleFor(io, io.stdout), io.now())) io.print(line);
}

/** The code is in the repository, never in NATS: so the diff is there where the repository is. */
async function diffOfJob(job: Job, home: string): Promise<ShownDiff> {
  const { baseCommit, headCommit, repository } = job;
  if (baseCommit === undefined || headCommit === undefined) return { note: 'There is no change yet.' };
  if (repository.kind !== 'local') return { note: `The diff is in ${repository.url}.` };
  if (job.host !== undefined && job.host !== (await knownHomeId(homePaths(home)))) {
    return { note: `The diff is on the repo-manager's host, in ${repository.url}.` };
  }
  try {
    const [{ findLocalRepository }, { diffOf }] = await Promise.all([
      import('../../shared/forge/local/local-repository.ts'),
      import('../../shared/git/diff.ts'),
    ]);
    const { git } = await findLocalRepository(repository.url);
    return { text: await diffOf(git, baseCommit, headCommit) };
  } catch (error) {
    return { note: `The diff can't be read: ${messageOf(error)}` };
  }
}
