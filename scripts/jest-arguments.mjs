import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const jest = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules', 'jest', 'bin', 'jest.js');

/** What to call `node` with to run jest on ES modules, without the warning that these are experimental there. */
export function jestArguments(args) {
  return ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...args];
}
