// What PM2 is to run: `multi-agent up` writes it to run/processes.json of the home, this file hands it on.
// PM2 loads an ECMAScript module only with a named export `apps`.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const home = process.env.MULTI_AGENT_HOME || join(homedir(), '.multi-agent');

export const apps = readApps(join(home, 'run', 'processes.json'));

function readApps(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).apps;
  } catch (error) {
    throw new Error(`${file} can't be read. \`multi-agent up\` writes it, and starts what is in it.`, { cause: error });
  }
}
