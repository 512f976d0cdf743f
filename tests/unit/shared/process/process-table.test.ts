import { describe, expect, it } from '@jest/globals';
import { othersThan } from '../../../../src/shared/process/end-processes.ts';
import { carriesMark, carriesPrefix, markVariables } from '../../../../src/shared/process/mark.ts';
import { hasProcessTable, listProcesses, readProcess, readVariables } from '../../../../src/shared/process/process-table.ts';

describe('process table', () => {
  it('shows this process', () => {
    const own = readProcess(process.pid);

    expect(hasProcessTable()).toBe(true);
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect(own?.startTicks).toBeGreaterThan(0);
    expect(listProcesses().map((entry) => entry.pid)).toContain(process.pid);
  });

  it('shows nothing of a process that is not there', () => {
    expect(readProcess(4_194_305)).toBeUndefined();
    expect(readVariables(4_194_305, ['PATH']).size).toBe(0);
  });

  it('reads variables by their exact names', () => {
    expect(readVariables(process.pid, ['PATH', 'PAT']).get('PATH')).toBeDefined();
    expect(readVariables(process.pid, ['PAT']).size).toBe(0);
  });
});

describe('marks', () => {
  it('are not carried by a process that never got one', () => {
    const own = readProcess(process.pid);

    expect(own !== undefined && carriesMark(own, { run: 'coder-1:1', runId: 'x' })).toBe(false);
    expect(own !== undefined && carriesPrefix(own, 'coder-1:', undefined)).toBe(false);
  });

  it('name the installation only where there is one', () => {
    expect(markVariables({ run: 'coder-1:2', runId: 'x' })).toEqual({ MULTI_AGENT_RUN: 'coder-1:2', MULTI_AGENT_RUN_ID: 'x' });
    expect(markVariables({ run: 'coder-1:2', runId: 'x', system: '/s' })).toHaveProperty('MULTI_AGENT_SYSTEM', '/s');
  });
});

describe('othersThan', () => {
  it('spares a process and all it descends from', () => {
    const entry = (pid: number, parent: number) => ({ pid, parent, group: pid, session: pid, state: 'S', startTicks: 1 });

    const others = othersThan(4, [entry(1, 0), entry(2, 1), entry(4, 2), entry(5, 4), entry(6, 1)]);

    expect(others.map(({ pid }) => pid)).toEqual([5, 6]);
  });
});
