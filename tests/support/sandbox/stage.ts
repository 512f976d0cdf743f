import { execFileSync, type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { call } from './probe.ts';
import { listen } from './listeners.ts';

/** What probes are let loose at: a system's home, an operator's, a daemon's process, services of the machine. All of it is the test's own. */
export interface Stage {
  /** `MULTI_AGENT_HOME` */
  readonly home: string;
  /** What a run is shown of the home, to read. */
  readonly objects: string;
  /** A folder of the machine that no run is given. */
  readonly outside: string;
  /** The seconds of a `sleep` that is to outlive its run. */
  readonly survivor: string;
  /** Where probes find all this. The secret is in two halves, so that it is nowhere but where it has to be found. */
  readonly variables: Readonly<Record<string, string>>;
  /** The process that is looked at is as it was. */
  isUnharmed(): boolean;
  close(): Promise<void>;
}

/** Of the machine, and not `/tmp`: that one a sandbox has of its own, whatever it hides. */
const FOLDER = '/var/tmp/multi-agent-probes-';
const SECRETS = [
  'run/coder.env',
  'run/operator.seed',
  'nats/jetstream/blocks',
  'mirrors/other.git/packed',
  'repositories/other.git/packed',
];
const OPERATORS = ['.ssh/id_ed25519', '.npmrc', '.gitconfig', '.aws/credentials'];
const OTHER = 'worktrees/job-2.coder-2/tree';
const OBJECTS = 'repositories/app.git/objects';

export async function openStage(): Promise<Stage> {
  const root = await mkdtemp(FOLDER);
  const name = randomBytes(8).toString('hex');
  const halves = { HEAD: `head${name}`, TAIL: `tail${name}` };
  const secret = `${halves.HEAD}${halves.TAIL}`;
  const [home, operator, outside] = [join(root, 'home'), join(root, 'operator'), join(root, 'outside')];
  const secretFile = join(outside, 'secret');
  const held = [...SECRETS, `${OTHER}/code`, 'pool/other/tree/code'].map((path) => join(home, path));
  for (const file of [...held, ...OPERATORS.map((path) => join(operator, path)), secretFile]) await writeOwn(file, secret);
  await writeOwn(join(home, OBJECTS, 'pack'), 'objects');
  const objects = join(home, OBJECTS);

  const word = `victim-${name}`;
  const victim = await startVictim({ secret, secretFile, outside, word });
  const listeners = await listen(join(outside, 'socket'), name);
  const shared = shareWith(name, secret);
  const survivor = String(randomInt(1_000_000, 9_000_000));
  return {
    home,
    objects,
    outside,
    survivor,
    variables: {
      ...halves,
      ...listeners.variables,
      ...shared.variables,
      MA_HOME: home,
      OPERATOR: operator,
      OUTSIDE: outside,
      OTHER: join(home, OTHER),
      OBJECTS: objects,
      VICTIM: String(victim.pid),
      VICTIM_WORD: word,
      SURVIVOR: survivor,
      HANDLE: handleOf(secretFile),
    },
    isUnharmed: () => victim.exitCode === null && victim.signalCode === null,
    close: async () => {
      const ended = once(victim, 'exit');
      if (victim.kill('SIGKILL')) await ended;
      shared.remove();
      await listeners.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function writeOwn(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
}

/** A process as a daemon is one: a secret in its environment, a file open (descriptor 9), a directory of its own. */
async function startVictim(own: { secret: string; secretFile: string; outside: string; word: string }): Promise<ChildProcess> {
  const file = openSync(own.secretFile, 'r');
  const stdio = ['ignore', 'pipe', 'ignore', ...Array.from({ length: 6 }, () => 'ignore' as const), file] as const;
  const victim = spawn('/usr/bin/perl', ['-e', '$| = 1; print "up\\n"; sleep 600', own.word], {
    cwd: own.outside,
    env: { SECRET: own.secret },
    stdio: [...stdio],
  });
  closeSync(file);
  if (victim.stdout) await once(victim.stdout, 'data');
  return victim;
}

/** Shared memory, a queue and a semaphore of System V, a file and a queue of POSIX. */
function shareWith(name: string, secret: string): { variables: Record<string, string>; remove(): void } {
  const key = String(randomInt(2 ** 30, 2 ** 31 - 1));
  const variables = { KEY: key, SHARED: name };
  const program = (text: string): void => {
    execFileSync('/usr/bin/perl', ['-e', text], { env: { ...variables, SECRET: secret } });
  };
  program(
    `my $id = shmget($ENV{KEY}, 64, 01600); shmwrite($id, $ENV{SECRET}, 0, 64); msgget($ENV{KEY}, 01600); semget($ENV{KEY}, 1, 01600);
     open my $file, ">", "/dev/shm/$ENV{SHARED}"; print $file $ENV{SECRET}; syscall(${call('mq_open')}, $ENV{SHARED}, 0102, 0600, 0);`,
  );
  return {
    variables,
    remove: () => {
      program(
        `shmctl(shmget($ENV{KEY}, 0, 0), 0, 0); msgctl(msgget($ENV{KEY}, 0), 0, 0); semctl(semget($ENV{KEY}, 0, 0), 0, 0, 0);
         unlink "/dev/shm/$ENV{SHARED}"; syscall(${call('mq_unlink')}, $ENV{SHARED});`,
      );
    },
  };
}

/** As somebody would guess it who knows the file system. */
function handleOf(file: string): string {
  const text = `my $handle = pack("LlA128", 128, 0, ""); my $mount = pack("l", 0);
    syscall(${call('name_to_handle_at')}, -100, $ARGV[0], $handle, $mount, 0); print unpack("H*", $handle);`;
  return execFileSync('/usr/bin/perl', ['-e', text, file], { encoding: 'utf8' });
}
