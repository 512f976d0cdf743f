import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const Lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      resolved: z.string().optional(),
      link: z.boolean().optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

const { packages } = Lockfile.parse(JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')));

describe('package-lock.json', () => {
  it('has an entry for every optional dependency, so that npm ci accepts it on every platform (npm run lockfile:complete)', () => {
    const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    const missing = wanted.filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)));

    expect(wanted.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it('names no registry, so that it works with any', () => {
    const resolved = Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined);

    expect(resolved).toEqual([]);
  });
});
