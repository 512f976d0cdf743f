import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { catalogue, type CatalogueEntry } from './catalogue.ts';
import { MESSAGE_VERSION } from './envelope.ts';

/**
 * Writes `<Name>.json` for every message and record into `directory`, which is made if it is not there.
 *
 * @throws the file system's error when something can not be written
 */
export async function writeJsonSchemas(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all(renderJsonSchemas().map(([file, text]) => writeFile(join(directory, file), text)));
}

/** The files of `docs/schemas`, by name. */
export function renderJsonSchemas(): readonly (readonly [string, string])[] {
  return catalogue.map((entry) => [`${entry.name}.json`, `${JSON.stringify(jsonSchemaOf(entry), undefined, 2)}\n`]);
}

/** The JSON Schema (draft 2020-12) of what a writer has to write: fields with a default may be left out. */
export function jsonSchemaOf({ name, schema, about }: CatalogueEntry): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });
  return { $schema, $id: `urn:multi-agent:v${String(MESSAGE_VERSION)}:${name}`, title: name, description: about, ...rest };
}
