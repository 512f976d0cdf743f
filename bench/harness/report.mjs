import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './folders.mjs';

const DATA = join(ROOT, 'docs', 'benchmarks.json');
const PAGE = join(ROOT, 'docs', 'benchmarks.md');
const NOTES = join(ROOT, 'bench', 'notes.md');

/** Puts a run's figures in place of the earlier ones of the same benchmarks, and writes the page anew. */
export async function writeReport(benchmarks, run) {
  const before = await readFile(DATA, 'utf8').then(JSON.parse, () => ({ runs: {} }));
  const runs = { ...before.runs };
  for (const { id } of benchmarks) {
    const results = run.results.filter((result) => result.id.split('.')[0] === id);
    const skipped = run.skipped.filter((skip) => skip.id.split('.')[0] === id);
    // What failed says nothing: the earlier figures stay.
    if (results.length + skipped.length === 0 || run.failed.includes(id)) continue;
    runs[id] = { at: run.at, quick: run.quick, machine: run.machine, loadPerCore: run.loadPerCore[id], results, skipped };
  }
  await mkdir(join(ROOT, 'docs'), { recursive: true });
  await writeFile(DATA, `${JSON.stringify({ runs }, null, 2)}\n`);
  await writeFile(PAGE, pageOf(benchmarks, runs, await readFile(NOTES, 'utf8')));
}

/** The page for these runs, by the id of the benchmark. */
export function pageOf(benchmarks, runs, notes) {
  const sections = benchmarks.filter(({ id }) => runs[id] !== undefined).map((benchmark) => section(benchmark, runs[benchmark.id]));
  return `# Benchmarks

Written by \`npm run bench\`; the figures as data are in [\`benchmarks.json\`](benchmarks.json). \`npm run bench -- --quick\` takes fewer rounds (under 10 minutes), \`--only a,f\` some of
them, \`--json\` prints the figures and writes nothing. Figures are ratios within one run, the two sides measured in turn, medians unless it says otherwise: on another machine the times differ, the
ratios less so.

${sections.join('\n\n')}

${notes.trim()}
`;
}

function section({ id, title, how }, { at, quick, machine, loadPerCore, results, skipped }) {
  const rows = results.map(({ title: what, figure, unit, goal, met, detail }) =>
    [what, `${figure} ${unit}`, goal, met ? 'yes' : '**no**', detailOf(detail)].join(' | '),
  );
  const { cpu, cores, memoryGb, system, node, git, natsServer } = machine;
  const where = `${cores} cores (${cpu}), ${memoryGb} GB, ${system}, Node ${node}, git ${git}, nats-server ${natsServer}`;
  const load = loadPerCore === null ? '' : `; ${loadPerCore} runnable processes a core in the minute before its end`;
  return `## (${id}) ${title}

${how}

${rows.length === 0 ? '' : `| | figure | goal | met | made of |\n|---|---|---|---|---|\n| ${rows.join(' |\n| ')} |\n\n`}${skipped.map(({ id: what, why }) => `${what} was skipped: ${why}\n\n`).join('')}\`npm run bench -- ${quick ? '--quick ' : ''}--only ${id}\`, ${at.slice(0, 10)}, on ${where}${load}.`;
}

function detailOf(detail = {}) {
  return Object.entries(detail)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
