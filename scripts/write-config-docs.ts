// Writes .env.example and docs/configuration.md from the table of variables; run by `npm run docs:generate`.
import { writeFile } from 'node:fs/promises';
import { renderConfigurationPage, renderEnvExample } from '../src/shared/config/render.ts';

await writeFile(new URL('../.env.example', import.meta.url), renderEnvExample());
await writeFile(new URL('../docs/configuration.md', import.meta.url), renderConfigurationPage());
