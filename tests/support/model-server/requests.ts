import type { IncomingHttpHeaders } from 'node:http';

/** Wherever a service takes a key. */
export function keysOf(headers: IncomingHttpHeaders, url: URL): string[] {
  const given = [headers.authorization, headers['x-api-key'], headers['x-goog-api-key'], url.searchParams.get('key') ?? undefined];
  return given.flat().filter((key) => key !== undefined);
}

/** The scenario that a key (`stub-<name>`) or a mark in the text (`[[scenario:<name>]]`) names, of those there are; else `default`. */
export function scenarioIn(texts: readonly string[], scenarios: ReadonlyMap<string, unknown>): string {
  const names = texts.map((text, index) => (index < texts.length - 1 ? /stub-([\w.-]+)/ : /\[\[scenario:([\w.-]+)\]\]/).exec(text)?.[1]);
  return names.find((name) => name !== undefined && scenarios.has(name)) ?? 'default';
}

/** What each CLI tells its model about where it is; the last one counts, for one that goes on elsewhere says so later. */
const WORKING_DIRECTORIES: readonly RegExp[] = [
  /Primary working directory: ([^\\"\n<]+?)(?: \(was [^)]*\))?(?=[\\"\n<]|$)/g, // Claude Code
  /<cwd>([^<]+)<\/cwd>/g, // Codex
  /current working directory(?: is)?:? ?`?([^\\"\n`<]+)/gi, // Gemini CLI, pi, Qwen Code
  /working in the directory: ([^\\"\n<]+)/gi, // Qwen Code
  /Working directory: ([^\\"\n<]+)/gi, // opencode, Continue, Copilot
  /Workspace Directories:\*\*(?:\\n|\s)+- ([^\\"\n]+)/gi, // Gemini CLI
];

export function workingDirectoryIn(text: string): string | undefined {
  const found = WORKING_DIRECTORIES.map((pattern) => [...text.matchAll(pattern)].at(-1)?.[1]?.trim().replace(/[.,]$/, ''));
  return found.find((path) => path?.startsWith('/') === true);
}
