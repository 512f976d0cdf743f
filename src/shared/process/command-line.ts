import { InvalidInputError } from '../errors/errors.ts';

/** A program and its arguments; the first word is the program. Never read by a shell. */
export type Argv = readonly [string, ...string[]];

/**
 * Splits a command line into words as a POSIX shell quotes them: '...' is literal, within "..." a backslash takes `"`
 * and `\` for themselves, outside of quotes it takes any character so. Nothing is expanded: no variable, glob, `~` or
 * pipe. (string-argv leaves the quotes in `--message='two words'`, and takes an open quote for the end of a word.)
 *
 * Throws `InvalidInputError` `invalid_command` where no program is named, a quote is not closed, or a word holds a NUL
 * character.
 */
export function splitCommand(line: string): Argv {
  const words: string[] = [];
  let word: string | undefined;
  for (const [token] of line.matchAll(TOKEN)) {
    if (/^\s/.test(token)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    if (token === "'" || token === '"') {
      throw new InvalidInputError('invalid_command', [`the command "${line}" has a quote (${token}) that is not closed`]);
    }
    word = (word ?? '') + unquoted(token);
  }
  if (word !== undefined) words.push(word);
  return checkedArgv(words, line);
}

/** Space, a quoted part, an escaped character, a run of plain characters, or else a quote or backslash left alone. */
const TOKEN = /\s+|'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^]|[^\s'"\\]+|[^]/g;

function unquoted(token: string): string {
  if (token.startsWith("'")) return token.slice(1, -1);
  if (token.startsWith('"')) return token.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
  return token.length === 2 && token.startsWith('\\') ? token.slice(1) : token;
}

/** The words of a command that is given as a line or as the words themselves. Throws as `splitCommand` does. */
export function argvOf(command: string | readonly string[]): Argv {
  return typeof command === 'string' ? splitCommand(command) : checkedArgv(command, displayCommand(command));
}

/** The command as a person reads it: words with spaces or quotes in them are quoted. Not meant for a shell. */
export function displayCommand(command: string | readonly string[]): string {
  if (typeof command === 'string') return command;
  return command.map((word) => (/^[^\s'"]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
}

function checkedArgv(words: readonly string[], shown: string): Argv {
  const [program, ...args] = words;
  if (program === undefined || program.trim() === '') {
    throw new InvalidInputError('invalid_command', [`the command "${shown}" names no program`]);
  }
  if (words.some((word) => word.includes('\0'))) {
    throw new InvalidInputError('invalid_command', ['a command cannot hold a NUL character']);
  }
  return [program, ...args];
}
