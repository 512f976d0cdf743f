import { describe, expect, it } from '@jest/globals';
import { claudeArguments, permissionsFor } from '../../../../../src/shared/runner/claude/claude-arguments.ts';
import { claudeVariables } from '../../../../../src/shared/runner/claude/claude-environment.ts';
import { isTested, resumesAnywhere } from '../../../../../src/shared/runner/claude/claude-version.ts';

const common = { program: '/opt/claude', permissions: ['--permission-mode', 'bypassPermissions'] } as const;

describe('claudeArguments', () => {
  it('starts a coder with tools to edit and to run, and nothing of the repository', () => {
    expect(claudeArguments({ ...common, role: 'coder' }).join(' ')).toBe(
      '/opt/claude --print --output-format stream-json --verbose --setting-sources  --strict-mcp-config --tools Bash,Edit,Glob,Grep,NotebookEdit,Read,TodoWrite,Write --permission-mode bypassPermissions',
    );
  });

  it('starts a reviewer with the tools that read, and the schema of a verdict', () => {
    const argv = claudeArguments({ ...common, role: 'reviewer' });

    expect(argv[argv.indexOf('--tools') + 1]).toBe('Read,Grep,Glob');
    expect(JSON.parse(argv[argv.indexOf('--json-schema') + 1] ?? '')).toMatchObject({ required: ['decision', 'summary', 'comments'] });
  });

  it('passes on what is asked for, and caps where there are any', () => {
    const asked = { model: 'claude-sonnet-4-5', maxTurns: 7, maxBudgetUsd: 1.5, mcpConfig: '/run/mcp.json', resume: 'abc' };

    expect(claudeArguments({ ...common, role: 'coder', ...asked }).join(' ')).toContain(
      '--model claude-sonnet-4-5 --max-turns 7 --max-budget-usd 1.5 --mcp-config /run/mcp.json --resume abc',
    );
  });

  it('allows all tools where that is possible, and else names those that can be', () => {
    expect(permissionsFor(true, true)).toEqual(common.permissions);
    expect(permissionsFor(false, false)).toEqual(common.permissions);
    expect(permissionsFor(false, true)).toEqual(['--permission-mode', 'dontAsk', '--allowedTools', expect.stringContaining('Bash,Edit')]);
  });
});

describe('claudeVariables', () => {
  it('are no way to a model, and no key', () => {
    const variables = claudeVariables({ configFolder: '/c', maxRetries: 2, apiTimeoutMs: 5 });

    expect(variables).toMatchObject({ CLAUDE_CONFIG_DIR: '/c', API_TIMEOUT_MS: '5', CLAUDE_CODE_MAX_RETRIES: '2' });
    expect(Object.keys(variables).filter((name) => name.startsWith('ANTHROPIC'))).toEqual([]);
  });
});

describe('versions', () => {
  it.each([
    ['2.1.196', false],
    ['2.1.197', true],
    ['2.1.300', true],
    ['2.1.329', true],
    ['2.1.330', false],
    ['2.2.0', false],
    ['10.0.0', false],
  ])('%s is among those tested: %s', (version, tested) => {
    expect(isTested(version)).toBe(tested);
  });

  it('tells which find a conversation from anywhere', () => {
    expect(['2.1.197', '2.1.328', '2.1.329', '2.2.0', undefined].map(resumesAnywhere)).toEqual([false, false, true, true, false]);
  });
});
