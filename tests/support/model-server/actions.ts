import { isAbsolute, join } from 'node:path';
import { fieldsOf } from './json.ts';
import type { Action, Call, Tool } from './steps.ts';

const NAMES = {
  write: ['Write', 'write_file', 'write', 'create', 'write_to_file', 'create_file'],
  edit: ['Edit', 'replace', 'edit', 'edit_file', 'replace_in_file', 'str_replace'],
  read: ['Read', 'read_file', 'read', 'view'],
  bash: ['Bash', 'run_shell_command', 'bash', 'exec_command', 'shell_command', 'shell', 'local_shell', 'execute_command'],
  json: ['StructuredOutput', 'structured_output'],
} as const;
const FILE = ['file_path', 'filePath', 'filepath', 'absolute_path', 'path'] as const;

/** What a CLI's tool takes for an action: by the names that its schema has for it. Relative paths are meant within `cwd`. */
export function callOf(action: Action, tools: readonly Tool[], cwd: string | undefined): Call {
  if ('name' in action) {
    return { name: action.name, kind: action.kind ?? 'function', input: action.input ?? {}, namespace: action.namespace };
  }
  if ('write' in action || 'edit' in action) return changeCall(action, tools, cwd);
  if ('read' in action) {
    const tool = toolFor('read', tools);
    if (tool === undefined) return callOf({ bash: { command: `cat ${JSON.stringify(action.read.path)}` } }, tools, cwd);
    return call(tool, { [parameter(tool, FILE)]: absolute(action.read.path, cwd) });
  }
  if ('bash' in action) return bashCall(action.bash.command, tools);
  const tool = toolFor('json', tools);
  return tool === undefined ? unknownCall(NAMES.json[0], action.json) : call(tool, action.json);
}

type Change = Extract<Action, { write: unknown } | { edit: unknown }>;

function changeCall(change: Change, tools: readonly Tool[], cwd: string | undefined): Call {
  const tool = toolFor('write' in change ? 'write' : 'edit', tools);
  // Codex edits files by patches.
  const patch = tools.find(({ name }) => name === 'apply_patch');
  if (tool === undefined && patch !== undefined) {
    const text = patchOf(change);
    return call(patch, patch.kind === 'custom' ? text : { [parameter(patch, ['patchText', 'input', 'patch'])]: text });
  }
  if (tool === undefined) return bashCall(`node -e "eval(atob('${Buffer.from(scriptOf(change)).toString('base64')}'))"`, tools);
  if ('write' in change) {
    const { path, content } = change.write;
    return call(tool, { [parameter(tool, FILE)]: absolute(path, cwd), [parameter(tool, ['content', 'file_text'])]: content });
  }
  const file = { [parameter(tool, FILE)]: absolute(change.edit.path, cwd) };
  if (tool.properties.has('edits')) return call(tool, { ...file, edits: [{ oldText: change.edit.old, newText: change.edit.new }] });
  return call(tool, {
    ...file,
    [parameter(tool, ['old_string', 'oldString', 'oldText', 'old_str'])]: change.edit.old,
    [parameter(tool, ['new_string', 'newString', 'newText', 'new_str'])]: change.edit.new,
    ...(tool.properties.has('instruction') ? { instruction: 'scripted edit' } : {}),
  });
}

function patchOf(change: Change): string {
  const lines = (text: string, mark: string): string[] =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${mark}${line}`);
  const body =
    'write' in change
      ? [`*** Add File: ${change.write.path}`, ...lines(change.write.content, '+')]
      : [`*** Update File: ${change.edit.path}`, '@@', ...lines(change.edit.old, '-'), ...lines(change.edit.new, '+')];
  return ['*** Begin Patch', ...body, '*** End Patch'].join('\n');
}

/** For a CLI whose only tool is a shell; in base64, so that nothing in it needs quoting. */
function scriptOf(change: Change): string {
  if ('write' in change) return `require('fs').writeFileSync(${JSON.stringify(change.write.path)},${JSON.stringify(change.write.content)})`;
  const [path, old, replacement] = [change.edit.path, change.edit.old, change.edit.new].map((text) => JSON.stringify(text)) as [
    string,
    string,
    string,
  ];
  return `f=require('fs'),p=${path},f.writeFileSync(p,f.readFileSync(p,'utf8').replace(${old},${replacement}))`;
}

function bashCall(command: string, tools: readonly Tool[]): Call {
  const tool = toolFor('bash', tools);
  if (tool === undefined) return unknownCall(NAMES.bash[0], { command });
  const name = parameter(tool, ['command', 'cmd', 'commands']);
  const isList = fieldsOf(fieldsOf(tool.schema['properties'])[name])['type'] === 'array';
  const given = isList ? ['bash', '-lc', command] : command;
  return call(tool, { [name]: given, ...(tool.properties.has('description') ? { description: 'scripted command' } : {}) });
}

function toolFor(verb: keyof typeof NAMES, tools: readonly Tool[]): Tool | undefined {
  return NAMES[verb].map((name) => tools.find((tool) => tool.name === name)).find((tool) => tool !== undefined);
}

function parameter(tool: Tool, names: readonly [string, ...string[]]): string {
  return names.find((name) => tool.properties.has(name)) ?? names[0];
}

function absolute(path: string, cwd: string | undefined): string {
  return isAbsolute(path) || cwd === undefined ? path : join(cwd, path);
}

function call({ name, kind, namespace }: Tool, input: unknown): Call {
  return { name, kind, namespace, input };
}

/** The CLI says itself what it thinks of a tool it does not have. */
function unknownCall(name: string, input: unknown): Call {
  return { name, kind: 'function', namespace: undefined, input };
}
