import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { createProgram } from '../../../src/cli/program.ts';
import { renderCommandReference } from '../../../src/cli/render/command-reference.ts';
import { silentContext } from '../../../src/cli/silent-context.ts';

it('docs/cli.md says what the definitions of the commands say ("npm run docs:generate" writes it anew)', async () => {
  const page = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

  expect(page).toBe(renderCommandReference(await createProgram(silentContext())));
});

it('defines a command alone as it does among all', async () => {
  const all = await createProgram(silentContext());

  for (const command of all.commands) {
    const alone = (await createProgram(silentContext(), [command.name()])).commands.map((one) => one.helpInformation());
    expect(alone).toEqual([command.helpInformation()]);
  }
});
