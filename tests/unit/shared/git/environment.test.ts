import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gitEnvironment, identityEnvironment, settingsArguments } from '../../../../src/shared/git/environment.ts';
import { createGit, gitCommand, gitWith } from '../../../../src/shared/git/git.ts';

describe('how git is started', () => {
  it('lets nothing of our own environment through but PATH', () => {
    const environment = gitEnvironment({ GIT_INDEX_FILE: '/i' });

    expect(
      Object.keys(environment)
        .filter((name) => !name.startsWith('GIT_'))
        .sort(),
    ).toEqual(['HOME', 'LC_ALL', 'PATH', 'TZ']);
    expect(environment).toMatchObject({ HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: 'none', GIT_INDEX_FILE: '/i' });
    expect(Object.keys(gitCommand({ gitDir: '/g' }, ['version']).env).sort()).toEqual(Object.keys(gitEnvironment()).sort());
  });

  it('names the repository, and switches off what could run something, before anything else', () => {
    const { args } = gitCommand({ gitDir: '/g', workTree: '/w', settings: ['core.eol=lf'] }, ['status']);

    expect(args.slice(0, 2)).toEqual(['--git-dir=/g', '--work-tree=/w']);
    expect(args).toEqual(expect.arrayContaining(['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'protocol.allow=never']));
    expect(args.slice(-2)).toEqual(['core.eol=lf', 'status']);
    expect(
      settingsArguments()
        .filter((_, at) => at % 2 === 0)
        .every((word) => word === '-c'),
    ).toBe(true);
  });

  it('quotes object directories whose names git would split', () => {
    const { env } = gitCommand({ gitDir: '/g', alternates: ['/plain', '/with:colon', '/with"quote'], objectDirectory: '/o' }, ['status']);

    expect(env).toMatchObject({ GIT_ALTERNATE_OBJECT_DIRECTORIES: '/plain:"/with:colon":"/with\\"quote"', GIT_OBJECT_DIRECTORY: '/o' });
  });

  it('runs as the owner', () => {
    expect(gitCommand({ gitDir: '/g', owner: { uid: 7, gid: 8 } }, ['status']).owner).toEqual({ uid: 7, gid: 8 });
  });

  it('dates by the given moment, in whole seconds', () => {
    expect(identityEnvironment(1_700_000_000_999)).toMatchObject({
      GIT_AUTHOR_DATE: '1700000000 +0000',
      GIT_COMMITTER_NAME: 'multi-agent',
    });
  });

  it('runs, gives exit codes that are answers, and throws the others', async () => {
    const git = createGit({ gitDir: '/nonexistent' });

    await expect(git.run(['--version'])).resolves.toMatchObject({ exitCode: 0 });
    await expect(git.run(['rev-parse', 'HEAD'], { answers: [128] })).resolves.toEqual({ stdout: '', exitCode: 128 });
    await expect(git.run(['rev-parse', 'HEAD'])).rejects.toMatchObject({ code: 'git_failed' });
    await expect(gitWith(git, { workTree: '/' }).run(['--version'], { maxBytes: 3 })).rejects.toMatchObject({
      code: 'git_output_too_long',
    });
  });

  it('is interrupted by the signal', async () => {
    const running = createGit({ gitDir: '/nonexistent' }).run(['--version'], { signal: AbortSignal.abort() });

    await expect(running).rejects.toMatchObject({ code: 'git_interrupted' });
  });

  it('ends a git that waits for ever', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'ma-fifo-'));
    execFileSync('mkfifo', [path.join(directory, 'fifo')]);

    const hanging = createGit({ gitDir: '/nonexistent' }).run(['hash-object', path.join(directory, 'fifo')], { timeoutMs: 200 });

    await expect(hanging).rejects.toMatchObject({ code: 'git_timeout' });
    await rm(directory, { recursive: true });
  });
});
