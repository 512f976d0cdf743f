import { describe, expect, it } from '@jest/globals';
import { detectCommands } from '../../../../src/agents/repo-manager/detect-commands.ts';

type Files = Readonly<Record<string, string>>;

const detect = (files: Files) => detectCommands(new Set(Object.keys(files)), (name) => Promise.resolve(files[name] ?? null));
const manifest = (rest: object): Files => ({
  'package.json': JSON.stringify({ scripts: { test: 'jest' }, devDependencies: { jest: '1' }, ...rest }),
});

const CASES: readonly (readonly [string, Files, readonly string[], readonly string[]])[] = [
  ['npm with a lock file', { ...manifest({}), 'package-lock.json': '' }, ['npm ci'], ['npm test']],
  ['npm without one', manifest({}), ['npm install'], ['npm test']],
  ['npm without dependencies', manifest({ devDependencies: {} }), [], ['npm test']],
  ['a linter', manifest({ scripts: { test: 'jest', lint: 'eslint .' } }), ['npm install'], ['npm test', 'npm run lint']],
  ['pnpm', { ...manifest({}), 'pnpm-lock.yaml': '' }, ['pnpm install --frozen-lockfile'], ['pnpm test']],
  ['pnpm by name', manifest({ packageManager: 'pnpm@9.1.0' }), ['pnpm install --frozen-lockfile'], ['pnpm test']],
  ['yarn', { ...manifest({}), 'yarn.lock': '' }, ['yarn install --frozen-lockfile'], ['yarn test']],
  ['a newer yarn', { ...manifest({ packageManager: 'yarn@4.0.0' }), 'yarn.lock': '' }, ['yarn install --immutable'], ['yarn test']],
  ['what "npm init" writes', manifest({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }), [], []],
  ['a manifest without scripts', manifest({ scripts: undefined }), [], []],
  ['a manifest that is no JSON', { 'package.json': '{' }, [], []],
  ['a manifest that is no object', { 'package.json': 'null' }, [], []],
  ['cargo', { 'Cargo.toml': '' }, [], ['cargo test']],
  ['go', { 'go.mod': '' }, [], ['go test ./...']],
  ['pytest by its file', { 'pytest.ini': '' }, [], ['python3 -m pytest']],
  ['pytest in pyproject.toml', { 'pyproject.toml': '[project]\n\n[tool.pytest.ini_options]\n' }, [], ['python3 -m pytest']],
  ['a pyproject.toml without it', { 'pyproject.toml': '[project]\n# [tool.pytest]\n' }, [], []],
  ['pytest in setup.cfg', { 'setup.cfg': '[tool:pytest]\n' }, [], ['python3 -m pytest']],
  ['maven', { 'pom.xml': '' }, [], ['mvn -B -q verify']],
  ['maven with its wrapper', { 'pom.xml': '', mvnw: '' }, [], ['./mvnw -B -q verify']],
  ['make', { Makefile: 'all: x\n\ntest: all\n\ttrue\n' }, [], ['make test']],
  ['make check', { Makefile: 'check:\n\ttrue\ntests: x\n' }, [], ['make check']],
  ['a variable called test', { Makefile: 'test := x\n' }, [], []],
  ['a Makefile beside cargo', { Makefile: 'test:\n', 'Cargo.toml': '' }, [], ['cargo test']],
  ['two at once', { ...manifest({ devDependencies: {} }), 'go.mod': '' }, [], ['npm test', 'go test ./...']],
  ['nothing', { 'README.md': '' }, [], []],
];

describe('what a repository is checked by', () => {
  it.each(CASES)('is detected: %s', async (_what, files, setup, checks) => {
    expect(await detect(files)).toEqual({ setup, checks });
  });
});
