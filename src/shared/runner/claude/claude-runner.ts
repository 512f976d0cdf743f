import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { InterruptedError, MultiAgentError } from '../../errors/errors.ts';
import { type CliPlace, openCliPlace } from '../cli/cli-place.ts';
import { isVerdict, VERDICT_REQUEST, verdictIn } from '../cli/verdict-text.ts';
import type { Runner, RunnerResult, RunnerTask } from '../runner.ts';
import { claudeArguments, permissionsFor } from './claude-arguments.ts';
import { type Answer, askClaude, type ClaudeCalls } from './claude-calls.ts';
import type { ClaudeRunnerConfig } from './claude-config.ts';
import { type ClaudeConversation, openConversation } from './claude-conversation.ts';
import { claudeVariables } from './claude-environment.ts';
import { invalidVerdict } from './claude-failure.ts';

const SUMMARY_LENGTH = 4_000;
const MAX_RETRIES = 2;
const API_TIMEOUT_MS = 300_000;

/**
 * Claude Code as a runner. A coder has all its tools, a reviewer those that read; both see nothing of the repository's own settings. Rounds of
 * one job are one conversation, as far as `RunnerTask.sessions` has it.
 */
export function createClaudeRunner(config: ClaudeRunnerConfig): Runner {
  const program = config.program ?? 'claude';
  return {
    kind: 'claude',
    description: config.model === undefined ? `claude: ${program}` : `claude: ${program} (${config.model})`,
    startsPrograms: true,
    needsWorkspace: () => true,
    run: async (task) => {
      if (task.signal.aborted) throw new InterruptedError('runner_interrupted', 'the runner was not started: its work is no longer wanted');
      const conversation = await openConversation(task);
      const mcpFile = 'mcp.json';
      const place = await openCliPlace(task, { ...config, program }, [conversation.configFolder], async (folder) => {
        if (config.mcpConfig !== undefined) await writeFile(join(folder, mcpFile), config.mcpConfig, { mode: 0o600, flag: 'wx' });
      });
      try {
        return await converse(callsOf({ ...config, program }, task, place, conversation, mcpFile), conversation);
      } finally {
        await place.close();
      }
    },
  };
}

function callsOf(
  config: ClaudeRunnerConfig & { readonly program: string },
  task: RunnerTask,
  place: CliPlace,
  { configFolder }: ClaudeConversation,
  mcpFile: string,
): ClaudeCalls {
  return {
    config,
    task,
    place,
    endsAt: performance.now() + task.wallMs,
    argvFor: (resume) =>
      claudeArguments({
        ...config,
        role: task.role,
        model: task.model ?? config.model,
        mcpConfig: config.mcpConfig === undefined ? undefined : join(place.folder, mcpFile),
        resume,
        permissions: permissionsFor(config.confinement.sandbox.isolates, process.getuid?.() === 0),
      }),
    variables: claudeVariables({
      configFolder,
      maxRetries: config.maxRetries ?? MAX_RETRIES,
      apiTimeoutMs: config.apiTimeoutMs ?? API_TIMEOUT_MS,
    }),
  };
}

/** Has the task done, and sees to it that the next round goes on from here, or does not where that would fail again. */
async function converse(calls: ClaudeCalls, conversation: ClaudeConversation): Promise<RunnerResult> {
  try {
    const answer = await firstAnswer(calls, conversation);
    await conversation.keep(answer.state);
    return calls.task.role === 'coder' ? coderResult(answer) : await reviewerResult(calls, answer);
  } catch (error) {
    if (error instanceof MultiAgentError && ENDS_CONVERSATION.includes(error.code) && error.details['capped'] !== true)
      await conversation.forget();
    throw error;
  }
}

/** Failures that the same conversation would have again. */
const ENDS_CONVERSATION: readonly string[] = ['context_too_long', 'invalid_verdict', 'runner_failed'];

/** Goes on with the conversation of the round before; where the CLI does not know it, a new one is begun, once. */
async function firstAnswer(calls: ClaudeCalls, conversation: ClaudeConversation): Promise<Answer> {
  const { task } = calls;
  const ask = (sessionId?: string): Promise<Answer | 'unknown_session'> =>
    askClaude(calls, { prompt: task.prompt, sessionId, onSession: conversation.keep });
  const answer = await ask(conversation.sessionId);
  if (answer !== 'unknown_session') return answer;
  task.onOutput({ type: 'note', text: 'the conversation of the round before is not there: a new one begins' });
  await conversation.forget();
  return answerOf(await ask());
}

function answerOf(answer: Answer | 'unknown_session'): Answer {
  if (answer === 'unknown_session') throw invalidVerdict('the conversation is lost', undefined);
  return answer;
}

function coderResult({ text, usage }: Answer): RunnerResult {
  return { summary: text.slice(-SUMMARY_LENGTH), usage };
}

/** A model may pass over the schema, and the CLI then ends with 0 and no verdict: it is looked for in the prose, and asked for once more. */
async function reviewerResult(calls: ClaudeCalls, first: Answer): Promise<RunnerResult> {
  const verdict = verdictOf(first);
  if (verdict !== undefined) return { summary: '', usage: first.usage, verdict };
  if (first.state.sessionId === undefined) throw invalidVerdict(first.text, first.usage);
  calls.task.onOutput({ type: 'note', text: 'the reviewer gave no verdict: it is asked once more' });
  const second = await askClaude(calls, { prompt: VERDICT_REQUEST, sessionId: first.state.sessionId, spent: first.usage });
  if (second === 'unknown_session') throw invalidVerdict(first.text, first.usage);
  const late = verdictOf(second);
  if (late === undefined) throw invalidVerdict(second.text, second.usage);
  return { summary: '', usage: second.usage, verdict: late };
}

function verdictOf({ structured, text }: Answer): unknown {
  return isVerdict(structured) ? structured : verdictIn(text);
}
