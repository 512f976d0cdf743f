import { parseArgs } from 'node:util';
import { messageOf } from '../../../../src/shared/errors/errors.ts';
import { runSeeds } from '../many.ts';

/** `--seed <first> --seeds <count>`. Exit 1 with the shortest trace where a rule is broken, 2: bad usage. */
const { first, count } = optionsOrExit();
const started = performance.now();

const fault = await runSeeds({
  first,
  count,
  onSeed: (seed) => {
    const done = seed - first + 1;
    if (done % 1_000 === 0 && done < count) process.stderr.write(`${String(done)} seeds\n`);
  },
});

const seconds = Math.round((performance.now() - started) / 1_000);
const { user, system } = process.cpuUsage();
const outcome = fault?.report ?? `seeds ${String(first)} to ${String(first + count - 1)}: no rule broken`;
process.stdout.write(`${outcome}\n(${String(seconds)} s, ${String(Math.round((user + system) / 1e6))} s of CPU)\n`);
process.exitCode = fault === undefined ? 0 : 1;

function optionsOrExit(): { readonly first: number; readonly count: number } {
  try {
    const { values } = parseArgs({ options: { seed: { type: 'string' }, seeds: { type: 'string' } } });
    return { first: numberOf(values.seed, Math.trunc(Date.now() / 1_000) % 1_000_000_000), count: numberOf(values.seeds, 10_000) };
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nusage: npm run simulate -- [--seeds n] [--seed first]\n`);
    process.exit(2);
  }
}

function numberOf(text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`not a whole number: ${text ?? ''}`);
}
