import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { forgetSession, readSession, type SessionRecord, writeSession } from '../../../../../src/shared/runner/cli/session-record.ts';
import { temporaryDirectory } from '../../../../support/temporary-directory.ts';

const record: SessionRecord = { cli: 'claude', sessionId: '95ce331a-927b', cwd: '/run/repo', version: '2.1.329' };

describe('the record of a conversation', () => {
  let folder: ReturnType<typeof temporaryDirectory>;

  beforeEach(() => {
    folder = temporaryDirectory('session');
  });

  afterEach(() => {
    folder.remove();
  });

  it('is there in the next round, for the same CLI, and open to its owner only', async () => {
    await writeSession(folder.path, { ...record, sessionId: 'earlier' });
    await writeSession(folder.path, record);

    expect(await readSession(folder.path, 'claude')).toEqual(record);
    expect(await readSession(folder.path, 'codex')).toBeUndefined();
    expect(statSync(join(folder.path, 'session.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(['session.json']);
  });

  it('can be forgotten, also where there is none', async () => {
    await writeSession(folder.path, record);
    await forgetSession(folder.path);
    await forgetSession(folder.path);

    expect(await readSession(folder.path, 'claude')).toBeUndefined();
  });

  it.each(['', '{', '[]', JSON.stringify({ ...record, sessionId: '--resume' }), JSON.stringify({ ...record, sessionId: '../x' })])(
    'is none where the file holds %j',
    async (content) => {
      writeFileSync(join(folder.path, 'session.json'), content);

      expect(await readSession(folder.path, 'claude')).toBeUndefined();
    },
  );

  it('replaces a link, and does not write where it points', async () => {
    mkdirSync(join(folder.path, 'else'));
    writeFileSync(join(folder.path, 'else/file'), 'mine');
    symlinkSync(join(folder.path, 'else/file'), join(folder.path, 'session.json'));

    await writeSession(folder.path, record);

    expect(readFileSync(join(folder.path, 'else/file'), 'utf8')).toBe('mine');
    expect(await readSession(folder.path, 'claude')).toEqual(record);
  });
});
