// Writes docs/nats-permissions.md from the permissions; run by `npm run docs:generate`.
import { writeFile } from 'node:fs/promises';
import { renderPermissionsPage } from '../src/shared/messaging/permissions-page.ts';

await writeFile(new URL('../docs/nats-permissions.md', import.meta.url), renderPermissionsPage());
