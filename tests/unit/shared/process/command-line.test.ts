import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidInputError } from '../../../../src/shared/errors/errors.ts';
import { argvOf, displayCommand, splitCommand } from '../../../../src/shared/process/command-line.ts';

describe('splitCommand', () => {
  it.each([
    ['npm test', ['npm', 'test']],
    ['  node   fix.mjs  ', ['node', 'fix.mjs']],
    [`sh -c "echo 'a b'"`, ['sh', '-c', "echo 'a b'"]],
    ['echo $HOME *.ts ~ | cat', ['echo', '$HOME', '*.ts', '~', '|', 'cat']],
    [`a"b "'c 'd`, ['ab c d']],
    [String.raw`a\ b "say \"hi\" \n \\" '\' \'`, ['a b', String.raw`say "hi" \n \ `.trim(), '\\', "'"]],
    ['node fix.mjs\\', ['node', 'fix.mjs\\']],
    [`tool --message='two words' ''`, ['tool', '--message=two words', '']],
  ])('splits %s', (line, words) => {
    expect(splitCommand(line)).toEqual(words);
  });

  it.each(['', '   ', '""', '"  " x'])('refuses %j, which names no program', (line) => {
    expect(() => splitCommand(line)).toThrow(InvalidInputError);
  });

  it.each([`echo "open`, `echo 'open`, `echo it's`])('refuses %s, where a quote is not closed', (line) => {
    expect(() => splitCommand(line)).toThrow('not closed');
  });

  it('gives back the words that a shell would', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().filter((word) => !word.includes('\0')),
          { minLength: 1 },
        ),
        (words) => {
          const line = ['program', ...words].map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ');

          expect(splitCommand(line)).toEqual(['program', ...words]);
        },
      ),
    );
  });

  it('refuses a NUL character', () => {
    expect(() => argvOf(['echo', 'a\0b'])).toThrow('NUL');
  });
});

describe('argvOf', () => {
  it('takes words as they are', () => {
    expect(argvOf(['echo', 'a b', ''])).toEqual(['echo', 'a b', '']);
  });

  it('refuses no words', () => {
    expect(() => argvOf([])).toThrow('names no program');
  });
});

describe('displayCommand', () => {
  it('quotes only what needs it', () => {
    expect(displayCommand(['sh', '-c', 'echo "hi"', ''])).toBe(String.raw`sh -c "echo \"hi\"" ""`);
    expect(displayCommand('npm  test')).toBe('npm  test');
  });
});
