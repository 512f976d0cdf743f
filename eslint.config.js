import js from '@eslint/js';
import tseslint from 'typescript-eslint';

import {
  constantLogMessages,
  IMPURE_GLOBALS,
  impureProperties,
  namedExportsOnly,
  noShell,
  noSubjectLiterals,
  pureImports,
  shellFunctions,
  SUBJECT_FILES,
} from './scripts/eslint-house-rules.mjs';

const TYPESCRIPT = ['src/**/*.ts', 'tests/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'];
const PLAIN = ['**/*.{js,mjs,cjs}'];
const NODE_GLOBALS = [
  'process',
  'console',
  'Buffer',
  'URL',
  'fetch',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'AbortController',
  'AbortSignal',
  'TextDecoder',
  'TextEncoder',
  'performance',
];
/** Flat config replaces a rule's options as a whole, so each group of files states all of its restrictions. */
const restrict = (...groups) => ({ 'no-restricted-syntax': ['error', ...groups.flat()] });

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '**/fixtures/', '.multi-agent*/'] },
  {
    // A rule that is wrong is changed here, with the reason, for everybody.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
    rules: { 'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'hack', 'xxx'], location: 'anywhere' }] },
  },
  {
    files: TYPESCRIPT,
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...restrict(namedExportsOnly, noShell, constantLogMessages),
      'no-restricted-imports': ['error', shellFunctions],
      'no-console': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Numbers and booleans print as one expects; objects and undefined stay forbidden.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => stop()` as a callback, and `return fail(...)` to leave early, are clearer than braces around them.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      // An `async` method without `await` is how an adapter keeps its port's promise that faults are rejections.
      '@typescript-eslint/require-await': 'off',
      // An empty string in the environment means "not set": `||` says just that.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      // `while (true)` is how a work loop that only ends by signal is written.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      // What is said by strangers is cleaned of control characters: they are meant.
      'no-control-regex': 'off',
      // Objects come from factories, as closures: their functions may be handed on alone.
      '@typescript-eslint/unbound-method': 'off',
      // `process.env['PATH']` shows that the name is data and the value may be missing.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // Taking a property out on purpose: `const { secret, ...rest } = options`.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: SUBJECT_FILES,
    rules: restrict(namedExportsOnly, noShell, constantLogMessages, noSubjectLiterals),
  },
  {
    // The types of other people's modules export what these do.
    files: ['**/*.d.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/shared/domain/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', pureImports],
      'no-restricted-properties': ['error', ...impureProperties],
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'scripts/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['tests/**/*.ts'],
    rules: {
      // A table of scenarios is one thing to read, however long.
      'max-lines': 'off',
      // A stub for a callback that the behaviour under test must not call, or whose call does not matter.
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: PLAIN,
    extends: [js.configs.recommended],
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, 'readonly'])) },
    rules: { ...restrict(noShell), 'no-restricted-imports': ['error', shellFunctions], eqeqeq: 'error' },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'writable', require: 'readonly', __dirname: 'readonly' } },
  },
);
