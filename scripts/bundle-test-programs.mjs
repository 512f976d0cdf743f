/**
 * `node scripts/bundle-test-programs.mjs <target folder> <program>...`: makes one file of each program. A process of its own, for esbuild does
 * not work inside of jest.
 */
import { bundleTestPrograms } from './bundle.mjs';

const [target, ...programs] = process.argv.slice(2);
await bundleTestPrograms(programs, target);
