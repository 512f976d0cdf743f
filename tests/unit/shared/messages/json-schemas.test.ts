import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { catalogue } from '../../../../src/shared/messages/catalogue.ts';
import { jsonSchemaOf, writeJsonSchemas } from '../../../../src/shared/messages/json-schemas.ts';
import { renderMessagesPage } from '../../../../src/shared/messages/messages-page.ts';
import { bucketPlans, streamPlans } from '../../../../src/shared/messaging/topology.ts';

const DOCS = new URL('../../../../docs/', import.meta.url);

async function contents(directory: string): Promise<Record<string, string>> {
  const files = (await readdir(directory)).sort();
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(join(directory, file), 'utf8')] as const)));
}

describe('the JSON Schemas', () => {
  let directory = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'schemas-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('in docs are what the code says (else run: npm run docs:generate)', async () => {
    await writeJsonSchemas(directory);

    expect(await contents(new URL('schemas', DOCS).pathname)).toEqual(await contents(directory));
  });

  it.each(catalogue.map((entry) => [entry.name, entry] as const))('%s is named and refuses unknown fields', (name, entry) => {
    const schema = jsonSchemaOf(entry);
    const forms = Array.isArray(schema['oneOf']) ? (schema['oneOf'] as unknown[]) : [schema];

    expect(schema).toMatchObject({ $id: `urn:multi-agent:v1:${name}`, title: name });
    for (const form of forms) expect(form).toMatchObject({ additionalProperties: false });
  });
});

describe('the page of messages', () => {
  it('is what the code says (else run: npm run docs:generate)', async () => {
    expect(await readFile(new URL('messages.md', DOCS), 'utf8')).toBe(renderMessagesPage());
  });

  it('names streams and buckets that there are', () => {
    const known = [...streamPlans, ...bucketPlans].map(({ name }) => name);

    expect(catalogue.map(({ place }) => place).filter((place) => place !== 'core' && !known.includes(place))).toEqual([]);
  });
});
