/**
 * What the scripted runners have in common. A job's description is a script, as JSON (see `tests/support/e2e/script.ts`): who plays which
 * steps in which run. So one running system serves every scenario.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const { env } = process;
const LOOK_EVERY_MS = 50;
const TALK_EVERY_MS = 200;
/** Longer than a scenario; where one has failed, its runner must not keep an agent from the others. */
const LONGEST_WAIT_MS = 90_000;

/** Plays the part of a role; `unscripted` are the steps of a run that the script says nothing about. */
export async function play(role, unscripted) {
  const context = JSON.parse(readFileSync(env.MULTI_AGENT_CONTEXT, 'utf8'));
  const run = {
    role,
    jobId: env.MULTI_AGENT_JOB_ID,
    taskId: env.MULTI_AGENT_TASK_ID,
    round: Number(env.MULTI_AGENT_ROUND),
    attempt: Number(env.MULTI_AGENT_ATTEMPT),
    try: Number(env.MULTI_AGENT_TRY),
    conflict: context.conflicts !== undefined,
  };
  const script = JSON.parse(context.feature.description);
  record(script.journal, { ...run, pid: process.pid, at: Date.now(), cwd: process.cwd(), env, context, prompt: readFileSync(0, 'utf8') });
  const part = (script[role] ?? []).find(({ when = {} }) => Object.entries(when).every(([name, value]) => run[name] === value));
  for (const step of part?.steps ?? unscripted(run)) await carryOut(step, run, context);
}

/** One line a run, in one write: runs of several agents share the file. */
function record(journal, entry) {
  if (journal !== undefined) appendFileSync(journal, `${JSON.stringify(entry)}\n`);
}

const STEPS = {
  say: (text) => process.stdout.write(`${text}\n`),
  complain: (text) => process.stderr.write(`${text}\n`),
  tellEnvironment: () => process.stdout.write(`${JSON.stringify(env)}\n`),
  write: ({ path, text }) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  },
  append: ({ path, text }) => appendFileSync(path, text),
  remove: (path) => rmSync(path),
  /** Both sides of a conflict, the base's first. */
  resolve: (_, __, { conflicts = [] }) => conflicts.forEach(({ path }) => writeFileSync(path, bothSides(readFileSync(path, 'utf8')))),
  /** Waits for a file, and talks meanwhile: it is slow, not hung. */
  waitFor: async (path) => {
    for (let waited = 0; !existsSync(path); waited += LOOK_EVERY_MS) {
      if (waited % TALK_EVERY_MS === 0) process.stdout.write('still waiting\n');
      if (waited > LONGEST_WAIT_MS) throw new Error(`waited for nothing: ${path}`);
      await delay(LOOK_EVERY_MS);
    }
  },
  exitUnless: ({ path, code }) => {
    if (!existsSync(path)) process.exit(code);
  },
  hang: () => new Promise((resolve) => setTimeout(resolve, 2 ** 30)),
  talkForEver: async () => {
    for (;;) {
      process.stdout.write('still at it\n');
      await delay(TALK_EVERY_MS);
    }
  },
  flood: (megabytes) => {
    const block = Buffer.from(`${'x'.repeat(79)}\n`.repeat(13_108));
    for (let written = 0; written < megabytes; written++) writeAll(block);
  },
  /** A child in a session of its own that holds our pipes open. */
  leaveBehind: (pidFile) => {
    const child = spawn('sleep', ['300'], { detached: true, stdio: 'inherit' });
    child.unref();
    writeFileSync(pidFile, String(child.pid));
  },
  exit: (code) => process.exit(code),
  verdict: (verdict) => process.stdout.write(`${JSON.stringify({ comments: [], ...verdict })}\n`),
};

async function carryOut(step, run, context) {
  for (const [name, argument] of Object.entries(step)) {
    if (STEPS[name] === undefined) throw new Error(`no step ${name}`);
    await STEPS[name](argument, run, context);
  }
}

function bothSides(text) {
  return text.replaceAll(/^<{7}.*\n([^]*?)^\|{7}.*\n[^]*?^={7}\n([^]*?)^>{7}.*\n/gm, '$2$1');
}

function writeAll(bytes) {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
