// Writes docs/cli.md from the definitions of the commands; run by `npm run docs:generate`.
import { writeFile } from 'node:fs/promises';
import { createProgram } from '../src/cli/program.ts';
import { renderCommandReference } from '../src/cli/render/command-reference.ts';
import { silentContext } from '../src/cli/silent-context.ts';

await writeFile(new URL('../docs/cli.md', import.meta.url), renderCommandReference(await createProgram(silentContext())));
