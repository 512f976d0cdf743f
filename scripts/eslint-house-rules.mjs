/** The rules of this house that no plugin knows, as selectors for `no-restricted-syntax`. They are tested in tests/unit/tooling. */

const SUBJECT_ROOTS = '(?:task|input|event|log|dead|request|cancel)';
/** `task.coder.high`, `event.*`, `log.>`; not the name of a file such as `log.jsonl`, nor a setting of git's such as `log.showSignature`. */
const SUBJECT = `^${SUBJECT_ROOTS}\\.(?!(?:jsonl?|log|txt|md|[cm]?[jt]s|env|sh)$|[a-z]+[A-Z][A-Za-z]*(?:=|$))[A-Za-z0-9_*>$-]`;
/** The start of a template: `task.${role}` or `task.coder.${priority}`. */
const SUBJECT_HEAD = `^${SUBJECT_ROOTS}\\.`;
/** The subjects below a KV bucket. */
const BUCKET_SUBJECT = '^\\$KV\\.';
const SUBJECT_MESSAGE =
  'A subject is written in src/shared/messages/subjects.ts or src/shared/messaging/topology.ts only: import it from there.';

const LOG_CALL =
  'CallExpression[callee.type="MemberExpression"][callee.property.name=/^(trace|debug|info|warn|error|fatal)$/]' +
  ':matches([callee.object.name=/^(log|logger)$/], [callee.object.property.name=/^(log|logger)$/])';
const LOG_MESSAGE = 'A log message is constant; what varies goes into fields: log.info({ jobId }, "job stored").';

/** Where subjects belong. */
export const SUBJECT_FILES = ['src/shared/messages/subjects.ts', 'src/shared/messaging/topology.ts'];

export const noSubjectLiterals = [
  { selector: `Literal[value=/${SUBJECT}/]`, message: SUBJECT_MESSAGE },
  { selector: `Literal[value=/${BUCKET_SUBJECT}/]`, message: SUBJECT_MESSAGE },
  { selector: `TemplateLiteral > TemplateElement:first-child[value.raw=/${SUBJECT_HEAD}/]`, message: SUBJECT_MESSAGE },
  { selector: `TemplateLiteral > TemplateElement:first-child[value.raw=/${BUCKET_SUBJECT}/]`, message: SUBJECT_MESSAGE },
];

export const noShell = [
  {
    selector: 'Property[key.name="shell"]:not([value.value=false])',
    message: 'No shell: an argument with a space or a semicolon in it must stay one argument. Give argv.',
  },
];

export const constantLogMessages = [
  { selector: `${LOG_CALL} > TemplateLiteral`, message: LOG_MESSAGE },
  { selector: `${LOG_CALL} > BinaryExpression[operator="+"]`, message: LOG_MESSAGE },
];

export const namedExportsOnly = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only: one name for one thing, everywhere.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Named exports only: one name for one thing, everywhere.' },
];

/** Functions of node:child_process that go through a shell whatever the options. */
export const shellFunctions = {
  paths: ['node:child_process', 'child_process'].map((name) => ({
    name,
    importNames: ['exec', 'execSync'],
    message: 'exec goes through a shell: use src/shared/process.',
  })),
};

/** The domain decides over data: time, chance and the outside come in as input. A hash is a pure function. */
export const pureImports = {
  paths: ['node:crypto', 'crypto'].map((name) => ({
    name,
    allowImportNames: ['createHash'],
    message: 'The domain has no chance in it: ids and random numbers come in as input.',
  })),
};
const PURE_MESSAGE = 'The domain has no clock and no chance in it: they come in as input.';
export const impureProperties = [
  { object: 'Date', property: 'now', message: PURE_MESSAGE },
  { object: 'Math', property: 'random', message: PURE_MESSAGE },
];
export const IMPURE_GLOBALS = ['process', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'crypto', 'console'];
