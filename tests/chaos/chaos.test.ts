import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';

jest.setTimeout(900_000);

const SCRIPT = fileURLToPath(new URL('../../scripts/chaos.mjs', import.meta.url));

const Report = z.object({
  ok: z.boolean(),
  submitted: z.number(),
  merged: z.number(),
  lost: z.number(),
  doubled: z.number(),
  orphans: z.number(),
  kills: z.number(),
  pauses: z.number(),
  natsKills: z.number(),
  findings: z.array(z.unknown()),
});

describe('npm run chaos', () => {
  it('finds nothing lost, doubled or left over, whatever is done to the system for a minute', async () => {
    const { code, report, left } = await chaos('--seconds', '60', '--in-flight', '20');

    expect(report).toMatchObject({ findings: [], ok: true, lost: 0, doubled: 0, orphans: 0 });
    expect(Math.min(report.merged, report.kills, report.pauses, report.natsKills)).toBeGreaterThan(0);
    expect(code).toBe(0);
    expect(left).toEqual([]);
  });

  it('finds that a system loses or doubles jobs that is wired without a thought of crashes', async () => {
    const { code, report, left } = await chaos('--naive', '--seconds', '10', '--in-flight', '16', '--patience', '10');

    expect(report.ok).toBe(false);
    expect(report.lost + report.doubled).toBeGreaterThan(0);
    expect(code).toBe(1);
    expect(left).toEqual([]);
  });
});

/** Runs it as a user does: what is on stdout is one JSON document, and nothing else. */
async function chaos(...args: string[]): Promise<{ code: number | null; report: z.infer<typeof Report>; left: string[] }> {
  const before = new Set(foldersLeft());
  const child = spawn(process.execPath, [SCRIPT, '--json', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { code: child.exitCode, report: Report.parse(JSON.parse(output)), left: foldersLeft().filter((name) => !before.has(name)) };
}

function foldersLeft(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('ma-chaos-'));
}
