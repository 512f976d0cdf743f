// Writes docs/schemas/*.json and docs/messages.md from the catalogue of messages; run by `npm run docs:generate`.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { writeJsonSchemas } from '../src/shared/messages/json-schemas.ts';
import { renderMessagesPage } from '../src/shared/messages/messages-page.ts';

await writeJsonSchemas(fileURLToPath(new URL('../docs/schemas', import.meta.url)));
await writeFile(new URL('../docs/messages.md', import.meta.url), renderMessagesPage());
