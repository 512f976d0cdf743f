import { CHAOS_USAGE, chaosOptions } from '../chaos-options.ts';
import { shown } from '../chaos-report.ts';
import { runAsProgram } from '../command-line.ts';
import { runChaos } from '../run-chaos.ts';

await runAsProgram({ usage: CHAOS_USAGE, options: chaosOptions, run: runChaos, shown });
