import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSandbox } from '../../../src/shared/process/sandbox/open-sandbox.ts';
import { type Sandbox, UNSAFE } from '../../../src/shared/process/sandbox/sandbox.ts';
import { EXHAUSTION, NEVER, SMALL_LIMITS } from '../../support/sandbox/exhaustion.ts';
import { FILES } from '../../support/sandbox/files.ts';
import { MACHINE } from '../../support/sandbox/machine.ts';
import { NETWORK } from '../../support/sandbox/network.ts';
import type { Probe } from '../../support/sandbox/probe.ts';
import { PROCESSES } from '../../support/sandbox/processes.ts';
import { isFullRoot, type ProbeResult, runProbes } from '../../support/sandbox/run-probes.ts';
import { SECRETS } from '../../support/sandbox/secrets.ts';
import { openStage, type Stage } from '../../support/sandbox/stage.ts';

const PROBES: readonly Probe[] = [...SECRETS, ...FILES, ...PROCESSES, ...MACHINE, ...NETWORK];

describe('out of the sandbox', () => {
  let stage: Stage;
  let sandbox: Sandbox;

  beforeAll(async () => {
    stage = await openStage();
    sandbox = await openSandbox({ home: stage.home, unsafe: false });
  });
  afterAll(() => stage.close());

  const escapes = async (probes: readonly Probe[], from: Sandbox): Promise<string[]> => namesOf(await runProbes(probes, from, stage));

  it('comes none of the probes', async () => {
    const escaped = await escapes(PROBES, sandbox);

    expect(sandbox.isolates).toBe(true);
    expect(new Set(PROBES.map(({ name }) => name)).size).toBe(PROBES.length);
    expect(PROBES.length).toBeGreaterThanOrEqual(100);
    expect(escaped).toEqual([]);
    expect(stage.isUnharmed()).toBe(true);
  });

  it('comes nothing that takes more than its share', async () => {
    const small = await openSandbox({ home: stage.home, unsafe: false, limits: SMALL_LIMITS });

    expect(await escapes([...EXHAUSTION, ...NEVER], small)).toEqual([]);
    expect(await escapes(EXHAUSTION, sandbox)).toEqual(EXHAUSTION.map(({ name }) => name).sort());
  });

  it('comes each of them where there is no sandbox', async () => {
    const expected = PROBES.filter(({ control }) => control === 'anyone' || (control === 'root' && isFullRoot()));

    const escaped = await escapes(expected, UNSAFE);

    expect(escaped).toEqual(expected.map(({ name }) => name).sort());
    expect(escaped.length).toBeGreaterThanOrEqual(isFullRoot() ? 89 : 43);
    expect(stage.isUnharmed()).toBe(true);
  });
});

function namesOf(results: readonly ProbeResult[]): string[] {
  return results
    .filter(({ escaped }) => escaped)
    .map(({ name }) => name)
    .sort();
}
