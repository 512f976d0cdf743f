import { runAsProgram } from '../command-line.ts';
import { runSoak } from '../run-soak.ts';
import { SOAK_USAGE, soakOptions } from '../soak-options.ts';
import { shown } from '../soak-report.ts';

await runAsProgram({ usage: SOAK_USAGE, options: soakOptions, run: runSoak, shown });
