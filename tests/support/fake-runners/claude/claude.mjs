// Stands in for Claude Code 2.1.329 with the lines of its recordings, changed where a scenario needs other words. See claude.sh.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const RECORDINGS = join(import.meta.dirname, '../../../fixtures/runners/claude/2.1.329');
const recorded = (name) =>
  readFileSync(join(RECORDINGS, `${name}.out`), 'utf8')
    .trim()
    .split('\n');
const [init, ...events] = recorded('ok').map((line) => JSON.parse(line));
const assistant = events.find((event) => event.message?.content[0].type === 'text');
const result = events.at(-1);

const argv = process.argv.slice(2);
const resumed = argv.includes('--resume') ? argv[argv.indexOf('--resume') + 1] : undefined;
const sessionId = resumed ?? init.session_id;
const print = (event) => process.stdout.write(`${JSON.stringify({ ...event, session_id: sessionId })}\n`);
const say = (text) => print({ ...assistant, message: { ...assistant.message, content: [{ type: 'text', text }] } });
const end = (changes = {}) => print({ ...result, modelUsage: {}, model_usage_since_last_result: {}, ...changes });
const costing = (inputTokens, outputTokens, costUSD) => ({
  model_usage_since_last_result: { m: { inputTokens, outputTokens, costUSD, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 } },
});
const replay = (name, exitCode) => {
  for (const line of recorded(name)) process.stdout.write(`${line}\n`);
  process.exitCode = exitCode;
};
const verdict = () => ({
  decision: 'APPROVE',
  summary: JSON.parse(readFileSync(process.env.MULTI_AGENT_CONTEXT, 'utf8')).feature.title,
  comments: [],
});

const SCENARIOS = {
  edits: () => {
    writeFileSync('written.txt', 'written\n');
    say('wrote written.txt');
    end({ result: 'wrote written.txt' });
  },
  approves: () => {
    say('looking at the change');
    end({ structured_output: verdict(), ...costing(7, 3, 0.5) });
  },
  approvesWhenAsked: () => {
    if (resumed === undefined) end({ result: 'I approve of it.', ...costing(5, 1, 0.25) });
    else end({ result: `Well then:\n${JSON.stringify(verdict())}`, ...costing(2, 2, 0.25) });
  },
  fails: () => {
    end({ is_error: true, api_error_status: 404, result: 'no luck today', ...costing(4, 0, 0.125) });
    process.exitCode = 1;
  },
  counts: () => {
    for (let n = 1; n <= 2_000; n++) say(String(n));
    end();
  },
  // One event of 10 MB, and one that is too long for anybody.
  floods: () => {
    say('ü'.repeat(5 * 1024 * 1024));
    say('x'.repeat(33 * 1024 * 1024));
    end({ result: `y${'ü'.repeat(5 * 1024 * 1024)}`, ...costing(1, 1, 0.5) });
  },
  // Says that it is done, and leaves a program behind that has its output.
  lingers: () => {
    spawn('sleep', ['300'], { stdio: 'inherit' });
    say('done');
    end({ result: 'done' });
    setInterval(() => {}, 1_000);
  },
  endsWithoutResult: () => say('almost there'),
  failsAfterResult: () => {
    end({ result: 'done' });
    process.stderr.write('could not save\n');
    process.exitCode = 3;
  },
  // Knows only conversations that it has begun itself, as a file in its folder.
  remembers: () => {
    const file = join(process.env.CLAUDE_CONFIG_DIR, 'projects');
    if (resumed !== undefined && !existsSync(file)) return replay('unknownId', 1);
    writeFileSync(file, '');
    end({ result: resumed === undefined ? 'began' : `went on with ${resumed}` });
  },
  tells: () => end({ result: JSON.stringify({ argv, env: process.env, stdin: readFileSync(0, 'utf8') }) }),
  leaksKey: () => {
    say(`the key is ${process.env.ANTHROPIC_API_KEY}`);
    end({ is_error: true, result: `refused ${process.env.ANTHROPIC_API_KEY}`, api_error_status: 401 });
    process.exitCode = 1;
  },
};

const name = process.env.FAKE_CLAUDE ?? '';
if (name.startsWith('replay:')) replay(name.slice('replay:'.length), 1);
else {
  print({ ...init, claude_code_version: process.env.FAKE_VERSION ?? init.claude_code_version });
  SCENARIOS[name]();
}
