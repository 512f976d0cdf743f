import { spawn } from 'node:child_process';

/** How long a program that was told to end may take; one that takes things down gets more, since a daemon may be in the middle of its drain. */
const END_WITHIN_MS = 10_000;
const TAKE_DOWN_WITHIN_MS = 45_000;

/** The demo can't go on; `message` is for a person. */
export class Ended extends Error {
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A Node program with the environment it is to run in. */
export function tool(program, environment) {
  return { program, environment };
}

/**
 * What the person sees, and the programs that run before their eyes. The first signal ends the running program and makes every later one
 * throw, but for those that run `apart`: these take things down, in a process group that Ctrl-C at the terminal does not reach.
 */
export function createStage() {
  const fancy = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const paint = (code, text) => (fancy ? `\x1b[${code}m${text}\x1b[0m` : text);
  const running = new Set();
  let interrupted = false;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      interrupted = true;
      for (const child of running) {
        child.kill(name);
        killAfter(child, END_WITHIN_MS);
      }
    });
  }

  const say = (line) => void process.stdout.write(`${line}\n`);
  const start = ({ program, environment }, args, { apart = false, stdio }) => {
    if (interrupted && !apart) throw new Ended('interrupted', 130);
    const child = spawn(process.execPath, [program, ...args], { env: environment, stdio, detached: apart });
    if (apart) killAfter(child, TAKE_DOWN_WITHIN_MS);
    else running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  };
  const end = async (child, apart) => {
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', (status) => resolve(status ?? 1)));
    if (interrupted && !apart) throw new Ended('interrupted', 130);
    return code;
  };

  return {
    interrupted: () => interrupted,
    say,
    title: (text) => say(`\n${paint('1;36', text)}`),
    command: (text) => say(paint('2', `\n$ ${text}`)),
    fault: (text) => void process.stderr.write(`${paint('31', text)}\n`),
    colour: () => (fancy ? ['--color=always'] : []),

    /** Shows a command and runs it on this terminal. Gives its exit code. */
    async run(of, args, { apart = false } = {}) {
      say(paint('2', `\n$ multi-agent ${args.map(quoted).join(' ')}`));
      return end(start(of, args, { apart, stdio: ['ignore', 'inherit', 'inherit'] }), apart);
    },

    /** Runs a program unseen and gives what it prints; throws when it fails. */
    async read(of, args, { apart = false } = {}) {
      const child = start(of, args, { apart, stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      const code = await end(child, apart);
      if (code !== 0) throw new Ended(`${args[0]} failed (exit ${code}).`, code);
      return output;
    },
  };
}

/** Nobody is to wait for a program that hangs: what it has left undone is found by its processes' environment. */
function killAfter(child, ms) {
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  child.once('exit', () => clearTimeout(timer));
}

function quoted(word) {
  return /^[\w./:@=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
