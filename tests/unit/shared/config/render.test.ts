import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { entries, loadConfig } from '../../../../src/shared/config/load.ts';
import { renderConfigurationPage, renderEnvExample } from '../../../../src/shared/config/render.ts';

const ROOT = new URL('../../../../', import.meta.url);

describe('what is generated from the table of variables', () => {
  it('is what .env.example says', async () => {
    expect(await readFile(new URL('.env.example', ROOT), 'utf8')).toBe(renderEnvExample());
  });

  it('is what docs/configuration.md says', async () => {
    expect(await readFile(new URL('docs/configuration.md', ROOT), 'utf8')).toBe(renderConfigurationPage());
  });
});

describe('the table of variables', () => {
  it('has defaults that are themselves right', () => {
    const defaults = Object.fromEntries(entries().flatMap(([, { name, fallback }]) => (fallback === undefined ? [] : [[name, fallback]])));

    expect(() => loadConfig('cli', defaults)).not.toThrow();
  });

  it('names each variable once', () => {
    const names = entries().map(([, { name }]) => name);

    expect(new Set(names).size).toBe(names.length);
  });
});
