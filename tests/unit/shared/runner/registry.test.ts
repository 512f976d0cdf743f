import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '../../../../src/shared/errors/errors.ts';
import { UNSAFE } from '../../../../src/shared/process/sandbox/sandbox.ts';
import { createRunner, RUNNER_KINDS } from '../../../../src/shared/runner/registry.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const confinement = { sandbox: UNSAFE, home: '/nowhere' };

describe('createRunner', () => {
  it('makes a command runner', () => {
    const runner = createRunner({ kind: 'command', command: 'node fix.mjs', confinement });

    expect(runner).toMatchObject({ kind: 'command', description: 'command: node fix.mjs' });
    expect(runner.needsWorkspace('reviewer')).toBe(true);
  });

  it('makes a replay runner', () => {
    const directory = temporaryDirectory('registry');
    const recording = join(directory.path, 'demo.jsonl');
    writeFileSync(recording, '# a demonstration\n\n{"role":"coder"}\n');

    const runner = createRunner({ kind: 'replay', recording, confinement });

    directory.remove();
    expect(runner).toMatchObject({ kind: 'replay', description: 'replay (recorded, no model): demo.jsonl' });
  });

  it.each(['clod', 'constructor', ''])('refuses the kind %j and names those it knows', (kind) => {
    expect(() => createRunner({ kind, confinement })).toThrow(`known: ${RUNNER_KINDS.join(', ')}`);
    expect(RUNNER_KINDS).toEqual(expect.arrayContaining(['command', 'replay']));
  });

  it.each([
    [{ kind: 'command' }, 'needs a command'],
    [{ kind: 'command', command: '' }, 'needs a command'],
    [{ kind: 'command', command: '""' }, 'names no program'],
    [{ kind: 'replay' }, 'path of a recording'],
    [{ kind: 'replay', recording: '/no/such/recording' }, '/no/such/recording cannot be read'],
  ])('refuses %j', (config, fault) => {
    expect(() => createRunner({ ...config, confinement })).toThrow(InvalidInputError);
    expect(() => createRunner({ ...config, confinement })).toThrow(fault);
  });
});
