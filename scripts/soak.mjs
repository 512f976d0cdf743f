/**
 * `npm run soak`: has jobs done for half an hour, or for hours, and checks that nothing grows that is not meant to; docs/chaos.md.
 *
 *     npm run soak -- [--minutes n | --hours n] [--in-flight n] [--seed s] [--json]
 *
 * Exit 0 only when all is flat, 1 when something grows or is wrong, 2 bad usage, 130 interrupted.
 */
import { runHarness } from './harness.mjs';

await runHarness('soak');
