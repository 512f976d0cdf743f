import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeAside, PUBLIC_PREFIX, sweepAside } from '../../../src/shared/git/aside.ts';
import { sweepBegun } from '../../../src/shared/git/sweep.ts';

/** Above what a pid can be (4,194,304), and so of no process. */
const NOBODY = 4_294_967;

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'ma-aside-'));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.join(home, name), { recursive: true });
    await writeFile(path.join(home, name, 'file'), '');
  }
}

describe('sweepAside', () => {
  it('deletes what processes that are gone were making, and nothing else', async () => {
    const own = path.basename(await makeAside(home));
    await put(`.new-${NOBODY}-a1B2c3`, 'repository.git', `old-${NOBODY}-a1B2c3`, '.new-word-a1B2c3');
    await symlink(path.join(home, 'repository.git'), path.join(home, `.new-${NOBODY}-linked`));

    const swept = await sweepAside(home);

    expect(swept.sort()).toEqual([`.new-${NOBODY}-a1B2c3`, `.new-${NOBODY}-linked`]);
    expect((await readdir(home)).sort()).toEqual([own, '.new-word-a1B2c3', `old-${NOBODY}-a1B2c3`, 'repository.git'].sort());
    expect(await readdir(path.join(home, 'repository.git'))).toEqual(['file']);
  });

  // Only root can make something that is another user's.
  (process.getuid?.() === 0 ? it : it.skip)('leaves alone what another user made', async () => {
    await put(`.new-${NOBODY}-a1B2c3`);
    await chown(path.join(home, `.new-${NOBODY}-a1B2c3`), 65_534, 65_534);

    expect(await sweepAside(home)).toEqual([]);
    expect(await readdir(home)).toHaveLength(1);
  });

  it('finds nothing where there is nothing', async () => {
    expect(await sweepAside(path.join(home, 'none'))).toEqual([]);
  });
});

describe('sweepBegun', () => {
  it('clears what earlier processes were making in a home and in the folder for temporary files', async () => {
    const earlier = `.new-${NOBODY}-a1B2c3`;
    const samePid = `.new-${process.pid}-a1B2c3`;
    await put(
      `mirrors/${earlier}`,
      `mirrors/app.git/${earlier}`,
      `repositories/app.git/${samePid}`,
      'repositories/app.git/refs',
      `forge/app/.making/${samePid}`,
    );
    const shadow = path.join(tmpdir(), `${PUBLIC_PREFIX}${NOBODY}-a1B2c3`);
    await mkdir(shadow, { recursive: true });

    const swept = await sweepBegun(home);

    expect(swept).toEqual(expect.arrayContaining([earlier, samePid, path.basename(shadow)]));
    expect(existsSync(shadow)).toBe(false);
    expect((await readdir(home, { recursive: true })).filter((name) => name.includes('.new-'))).toEqual([]);
    expect(existsSync(path.join(home, 'repositories/app.git/refs/file'))).toBe(true);
  });
});
