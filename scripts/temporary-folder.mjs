import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const MEMORY = '/dev/shm';
const GIB = 1024 ** 3;
/** Several times what the tests ever have there at once. */
const SPACE_BYTES = 4 * GIB;
/** What the tests, their daemons and what else runs here need beside it. */
const MEMORY_BYTES = 8 * GIB;

/**
 * Where tests put their files: in memory where there is plenty of it, for they make and delete directories by the thousand, which an ext4 file
 * system takes a third longer for. `TMPDIR`, where it is set, decides.
 */
export function temporaryFolder() {
  return process.env.TMPDIR === undefined && isGoodMemory() ? MEMORY : tmpdir();
}

function isGoodMemory() {
  try {
    accessSync(MEMORY, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= SPACE_BYTES && availableMemory() >= MEMORY_BYTES && mayRunPrograms();
  } catch {
    return false;
  }
}

function availableMemory() {
  return 1024 * Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
}

/** Containers often have it mounted `noexec`; the last line about a mount point is the one that holds. */
function mayRunPrograms() {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const options = mounts
    .filter(([, place]) => place === MEMORY)
    .at(-1)?.[3]
    ?.split(',') ?? ['noexec'];
  return !options.includes('noexec');
}
