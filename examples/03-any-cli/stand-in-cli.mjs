#!/usr/bin/env node
// Stands in for a coding CLI: the prompt on stdin, work in the current directory, an answer on stdout. It asks no model.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const login = join(process.env.HOME, '.stand-in-login');
if (!existsSync(login)) {
  console.error('not logged in');
  process.exit(1);
}
const prompt = readFileSync(0, 'utf8');
if (prompt.startsWith('You are the coder.')) {
  const [, title] = /^ *Title: (.*)$/m.exec(prompt);
  appendFileSync('README.md', `\n${title}: done.\n`);
  console.log(`I read a prompt of ${prompt.length} characters and added a line to the README.`);
} else {
  console.log('{"decision":"APPROVE","summary":"One line, as asked for."}');
  console.log('Have a nice day!');
}
