/**
 * `npm run chaos`: harms a running system in every way and checks that nothing is lost, doubled or left behind; docs/chaos.md.
 *
 *     npm run chaos -- [--quick | --seconds n | --minutes n] [--jobs n] [--in-flight n] [--seed s] [--naive] [--json]
 *
 * Exit 0 only when all is well, 1 when something is wrong (with `--naive` it has to be), 2 bad usage, 130 interrupted.
 */
import { runHarness } from './harness.mjs';

await runHarness('chaos');
