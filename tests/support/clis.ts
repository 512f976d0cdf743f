import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** The real Claude Code, where `npm run install:clis` has put it. */
export function installedClaude(): string | undefined {
  const folder = process.env['MULTI_AGENT_CLIS'] || join(ROOT, '.multi-agent-clis');
  const program = join(folder, 'claude/node_modules/@anthropic-ai/claude-code/bin/claude.exe');
  return existsSync(program) ? program : undefined;
}
