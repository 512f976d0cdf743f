import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { build } from 'esbuild';

/** What runs as a process of its own, and what only `up` needs, for its looks: loaded from node_modules. */
const EXTERNAL = ['pm2', 'ora'];
/** CommonJS dependencies ask for Node's modules with `require`, which an ECMAScript module has not. */
const REQUIRE = "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";
/** One long line would be as small, and no trace would say where. */
const LINE_LIMIT = 160;
const PACKAGE = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//;

/**
 * Half of zod is what nobody here calls, and its messages in sixty languages. What of it is not named can be left out only where its names
 * are looked up in the module itself, and not in an object that stands for it.
 */
const leanZod = {
  name: 'lean-zod',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: "export { default as en } from './en.js';" }));
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      return { contents: source.replace(/^import \{ z \} from 'zod';$/m, "import * as z from 'zod';"), loader: 'ts' };
    });
  },
};

/** Of the three hundred files of date-fns a rotating log needs these. */
const DATE_FUNCTIONS = ['format', 'addDays', 'addHours', 'parse', 'isValid'];
const leanDates = {
  name: 'lean-dates',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^date-fns$/ }, ({ resolveDir }) => ({ path: 'date-fns', namespace: 'lean-dates', pluginData: resolveDir }));
    onLoad({ filter: /.*/, namespace: 'lean-dates' }, ({ pluginData: resolveDir }) => ({
      contents: DATE_FUNCTIONS.map((name) => `export { ${name} } from 'date-fns/${name}';`).join('\n'),
      resolveDir,
    }));
  },
};

const OPTIONS = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: EXTERNAL,
  banner: { js: REQUIRE },
  // Reading the file is what takes the time, and a third of it is comments and blanks.
  minifyWhitespace: true,
  lineLimit: LINE_LIMIT,
  plugins: [leanZod, leanDates],
  logLevel: 'warning',
};

/** Makes each program in `dist` one file, and writes the licences of what is in them to `dist/third-party-licenses.txt`. */
export async function bundlePrograms(root) {
  const agents = readdirSync(join(root, 'src', 'agents')).map((role) => `agents/${role}/main`);
  const programs = ['cli/main', ...agents].filter((name) => existsSync(join(root, 'src', `${name}.ts`)));
  const packages = (await Promise.all(programs.map((name) => bundle(root, name)))).flat();
  writeFileSync(join(root, 'dist', 'third-party-licenses.txt'), licencesOf(root, new Map(packages)));
}

/** Makes one file each of programs that tests run, the way the product's own are made: so they start as fast. */
export async function bundleTestPrograms(entryPoints, outdir) {
  await build({ ...OPTIONS, entryPoints, outdir });
}

/** @returns the packages that went into it, by name, with their folders */
async function bundle(root, name) {
  const target = join(root, 'dist', `${name}.js`);
  const { metafile } = await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: [`src/${name}.ts`],
    outfile: `${target}.new`,
    metafile: true,
  });
  // A program that is being started reads the whole old one or the whole new one.
  renameSync(`${target}.new`, target);
  return Object.keys(metafile.inputs).flatMap((input) => {
    const [, folder, found] = PACKAGE.exec(input) ?? [];
    return found === undefined ? [] : [[found, folder]];
  });
}

function licencesOf(root, packages) {
  const sections = [...packages].sort(([a], [b]) => a.localeCompare(b, 'en')).map(([name, folder]) => licenceOf(join(root, folder), name));
  return `The programs of multi-agent contain these packages.\n\n${sections.join('\n\n')}\n`;
}

function licenceOf(folder, name) {
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), 'utf8').trim();
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n\n${text}`;
}
