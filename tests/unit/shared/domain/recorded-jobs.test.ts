import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../../src/shared/domain/decide.ts';
import { Job } from '../../../../src/shared/domain/job.ts';
import { readRecording, RECORDINGS, stepOf } from '../../../support/recordings/recording.ts';

const FILES = readdirSync(RECORDINGS).filter((name) => name.endsWith('.jsonl'));

/** What was decided about real jobs (`npm run record:jobs` makes it anew): a difference is a change of behaviour, wanted or not. */
describe('a recorded job', () => {
  it('is there', () => {
    expect(FILES.length).toBeGreaterThan(3);
  });

  it.each(FILES)('%s is decided as it was, step by step, to the same record', (name) => {
    const { steps, job } = readRecording(new URL(name, RECORDINGS));
    let current: Job | null = null;

    for (const recorded of steps) {
      current = decide(current, recorded.input);
      expect(asStored(stepOf(recorded.input, current))).toEqual(recorded);
    }

    expect(asStored(current)).toEqual(job);
    expect(Job.safeParse(job).success).toBe(true);
  });
});

function asStored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
