import type { RepositorySettings } from '../../shared/domain/feature.ts';

/** What a repository is set up and checked by, going by the files at its root. */
export type DetectedCommands = Pick<RepositorySettings, 'setup' | 'checks'>;

/** Gives the text of a file at the root, null where there is none. */
export type ReadRootFile = (name: string) => Promise<string | null>;

interface Ecosystem {
  /** One of these at the root: it is worth a look. */
  readonly files: readonly string[];
  detect(names: ReadonlySet<string>, read: ReadRootFile): Promise<DetectedCommands>;
}

const NONE: DetectedCommands = { setup: [], checks: [] };
/** In what `npm init` writes where there are no tests. */
const NO_TESTS = 'no test specified';

const ECOSYSTEMS: readonly Ecosystem[] = [
  { files: ['package.json'], detect: detectNode },
  { files: ['Cargo.toml'], detect: () => Promise.resolve({ setup: [], checks: ['cargo test'] }) },
  { files: ['go.mod'], detect: () => Promise.resolve({ setup: [], checks: ['go test ./...'] }) },
  { files: ['pytest.ini', 'conftest.py', 'pyproject.toml', 'setup.cfg', 'tox.ini'], detect: detectPytest },
  {
    files: ['pom.xml'],
    detect: (names) => Promise.resolve({ setup: [], checks: [names.has('mvnw') ? './mvnw -B -q verify' : 'mvn -B -q verify'] }),
  },
];

/**
 * The commands of every ecosystem that the root shows, by their own customs: npm, pnpm, yarn, cargo, go, pytest, maven; `make test` or
 * `make check` where there is none of them.
 *
 * @param names the names of the files at the root
 */
export async function detectCommands(names: ReadonlySet<string>, read: ReadRootFile): Promise<DetectedCommands> {
  const found = ECOSYSTEMS.filter(({ files }) => files.some((file) => names.has(file)));
  const commands = await Promise.all(found.map(({ detect }) => detect(names, read)));
  const all = { setup: commands.flatMap(({ setup }) => setup), checks: commands.flatMap(({ checks }) => checks) };
  return all.checks.length > 0 ? all : detectMake(names, read);
}

async function detectNode(names: ReadonlySet<string>, read: ReadRootFile): Promise<DetectedCommands> {
  const manifest = objectIn(await read('package.json'));
  const scripts = objectOf(manifest['scripts']);
  const test = scripts['test'];
  const { run, install } = packageManager(names, manifest);
  const checks = [
    ...(typeof test === 'string' && !test.includes(NO_TESTS) ? [`${run} test`] : []),
    ...(typeof scripts['lint'] === 'string' ? [`${run} run lint`] : []),
  ];
  const needsInstall = ['dependencies', 'devDependencies'].some((name) => Object.keys(objectOf(manifest[name])).length > 0);
  return checks.length === 0 ? NONE : { setup: needsInstall ? [install] : [], checks };
}

/** By its lock file; where there is none, by the field that corepack reads. */
function packageManager(names: ReadonlySet<string>, manifest: Record<string, unknown>): { run: string; install: string } {
  const named = typeof manifest['packageManager'] === 'string' ? manifest['packageManager'] : '';
  if (names.has('pnpm-lock.yaml') || named.startsWith('pnpm@')) return { run: 'pnpm', install: 'pnpm install --frozen-lockfile' };
  if (names.has('yarn.lock') || named.startsWith('yarn@')) {
    const isClassic = !names.has('.yarnrc.yml') && !/^yarn@[2-9]/.test(named);
    return { run: 'yarn', install: isClassic ? 'yarn install --frozen-lockfile' : 'yarn install --immutable' };
  }
  const isLocked = names.has('package-lock.json') || names.has('npm-shrinkwrap.json');
  return { run: 'npm', install: isLocked ? 'npm ci' : 'npm install' };
}

async function detectPytest(names: ReadonlySet<string>, read: ReadRootFile): Promise<DetectedCommands> {
  const sections: readonly (readonly [string, RegExp])[] = [
    ['pyproject.toml', /^\[tool\.pytest/m],
    ['setup.cfg', /^\[tool:pytest\]/m],
    ['tox.ini', /^\[pytest\]/m],
  ];
  const isNamed = names.has('pytest.ini') || names.has('conftest.py');
  const texts = await Promise.all(
    sections.filter(([file]) => names.has(file)).map(async ([file, section]) => section.test((await read(file)) ?? '')),
  );
  return isNamed || texts.includes(true) ? { setup: [], checks: ['python3 -m pytest'] } : NONE;
}

/** The names that make looks for, in its order. */
const MAKEFILES = ['GNUmakefile', 'makefile', 'Makefile'];

async function detectMake(names: ReadonlySet<string>, read: ReadRootFile): Promise<DetectedCommands> {
  const file = MAKEFILES.find((name) => names.has(name));
  const text = file === undefined ? '' : ((await read(file)) ?? '');
  const target = ['test', 'check'].find((name) => new RegExp(`^${name}\\s*:(?!=)`, 'm').test(text));
  return target === undefined ? NONE : { setup: [], checks: [`make ${target}`] };
}

/** A manifest that can't be read shows nothing: whoever runs it says what is wrong with it. */
function objectIn(text: string | null): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(text ?? '{}'));
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
