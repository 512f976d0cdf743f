/**
 * One process at a time, by a directory (made atomically everywhere). The lock of a process that is gone is taken over; a process counts as
 * gone when no process has its id, or one that started at another time does (ids come round again, in containers soon).
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 200;
/** A directory without an owner's name: its maker is about to write it, or was killed just there. */
const NAMELESS_MS = 5000;
const WAIT_MS = 15 * 60 * 1000;

/** Calls `work` while holding the lock `path`. Throws when another process holds it for more than 15 minutes. */
export async function withLock(path, say, work) {
  await acquire(path, say);
  const release = () => rmSync(path, { recursive: true, force: true });
  const interrupted = (signal) => {
    release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await work();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    release();
  }
}

async function acquire(path, say) {
  const deadline = Date.now() + WAIT_MS;
  let hasSaid = false;
  while (!take(path)) {
    if (isStale(path)) {
      takeAway(path);
      continue;
    }
    if (Date.now() > deadline)
      throw new Error(`${path} is held by another process (${readOwner(path) ?? 'unknown'}). Remove it if that is not so.`);
    if (!hasSaid) say('Another process is setting up this folder: waiting for it ...');
    hasSaid = true;
    await pause(POLL_MS);
  }
}

function take(path) {
  try {
    mkdirSync(path);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(path, 'owner'), `${process.pid} ${startTimeOf(process.pid) ?? ''}`);
  return true;
}

/** Under a second lock: two that find the same stale lock must not each remove one, the second being the first one's new lock. */
function takeAway(path) {
  const guard = `${path}-takeover`;
  try {
    mkdirSync(guard);
  } catch {
    if (ageMs(guard) > NAMELESS_MS) rmSync(guard, { recursive: true, force: true });
    return;
  }
  if (isStale(path)) rmSync(path, { recursive: true, force: true });
  rmSync(guard, { recursive: true, force: true });
}

function isStale(path) {
  const owner = readOwner(path);
  if (owner === undefined) return ageMs(path) > NAMELESS_MS;
  const [pid, started] = owner.split(' ');
  if (!isRunning(Number(pid))) return true;
  const found = startTimeOf(Number(pid));
  return started !== '' && found !== undefined && found !== started;
}

function readOwner(path) {
  try {
    const text = readFileSync(join(path, 'owner'), 'utf8');
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return stateOf(pid) !== 'Z';
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const stateOf = (pid) => statFields(pid)?.[0];
/** In clock ticks since boot; undefined where there is no /proc. */
const startTimeOf = (pid) => statFields(pid)?.[19];

/** The fields of /proc/<pid>/stat behind the command's name, which may itself hold spaces and brackets. */
function statFields(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
