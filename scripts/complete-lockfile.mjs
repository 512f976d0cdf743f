/**
 * `npm run lockfile:complete`: adds to package-lock.json the builds for other platforms that npm left out.
 *
 * npm drops an optional dependency from the lockfile when it can't see it at that moment (a partial registry, or a `node_modules` that was
 * there already: https://github.com/npm/cli/issues/4828), and `npm ci` then refuses the lockfile, on every platform. An entry made here has
 * the exact version its parent asks for, but no integrity: npm takes it from the registry on the platform that needs it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
const PLATFORM = /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-([a-z]+))?$/;

const lockfile = JSON.parse(readFileSync(path, 'utf8'));
const added = missing(lockfile.packages);
const entries = Object.entries({ ...lockfile.packages, ...Object.fromEntries(added) });
lockfile.packages = Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, 'en')));
if (added.length > 0) writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
process.stdout.write(`${added.length} entries added\n`);

function missing(packages) {
  const parents = Object.values(packages).filter((parent) => parent.optionalDependencies !== undefined);
  const wanted = parents.flatMap((parent) =>
    Object.entries(parent.optionalDependencies).map(([name, version]) => ({ parent, name, version })),
  );
  const isAbsent = ({ name }) => !Object.keys(packages).some((key) => key.endsWith(`node_modules/${name}`));
  return wanted.filter((one) => isAbsent(one) && PLATFORM.test(one.name)).map((one) => [`node_modules/${one.name}`, entryOf(one)]);
}

function entryOf({ parent, name, version }) {
  const [, os, cpu, abi] = PLATFORM.exec(name);
  const libc = os === 'linux' && abi !== undefined ? { libc: [abi.startsWith('musl') ? 'musl' : 'glibc'] } : {};
  return { version, cpu: [cpu], ...(parent.dev === true ? { dev: true } : {}), ...libc, optional: true, os: [os] };
}
