import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createRepository, emptyRepository } from '../../support/e2e/repository.ts';
import { JobShape } from '../../support/e2e/shapes.ts';
import { stageOf } from '../../support/e2e/stage.ts';
import { writes } from '../../support/e2e/script.ts';
import type { Shared } from './shared.ts';

/** `nobody`, in every Debian. */
const NOBODY = 65534;

/** Repositories that are not as one would have them. */
export function repositoryScenarios({ stage, system }: Shared): void {
  it.concurrent.each([{ bare: false }, { bare: true }])('starts a project in an empty repository (bare: $bare)', async ({ bare }) => {
    const { folder, cli } = stage(`empty-${String(bare)}`);
    const repository = emptyRepository(join(folder, 'empty'), { bare });
    // Its text is the script: the title is the first line.
    const requirements = JSON.stringify({ coder: [{ steps: [writes('index.txt', 'a project\n')] }] });

    const result = await cli('start-project', '--json', '--wait', '--repo', repository.path, '--requirements', requirements);

    const job = JobShape.parse(result.json());
    expect([result.code, job.status, job.branch, job.title]).toEqual([0, 'COMPLETED', 'main', requirements.slice(0, 200)]);
    expect(repository.git('rev-parse', 'main')).toBe(job.changeRequest?.mergeCommit);
    expect(repository.fileOn('main', 'index.txt')).toBe('a project');
    expect(existsSync(join(repository.path, 'index.txt'))).toBe(!bare);
    if (!bare) expect(repository.git('status', '--porcelain')).toBe('');
  });

  (process.getuid?.() === 0 ? it.concurrent : it.skip)("works on a repository of another user, whose files stay that user's", async () => {
    const home = mkdtempSync(join(tmpdir(), 'ma-another-user-'));
    try {
      chmodSync(home, 0o755);
      const repository = createRepository(join(home, 'repository'));
      execFileSync('chown', ['-R', `${String(NOBODY)}:${String(NOBODY)}`, home]);
      const { run } = stageOf(system().env, join(system().home.folder, 'stages', 'another-user'), repository);

      const { code, job } = await run({ coder: [{ steps: [writes('src/new.txt')] }] });

      expect({ code, status: job.status, error: job.error }).toEqual({ code: 0, status: 'COMPLETED', error: undefined });
      expect(repository.fileOn('main', 'src/new.txt')).toBe('src/new.txt');
      expect(existsSync(join(repository.path, 'src/new.txt'))).toBe(true);
      const others = (readdirSync(home, { recursive: true }) as string[]).filter((path) => statSync(join(home, path)).uid !== NOBODY);
      expect(others).toEqual([]);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
}
