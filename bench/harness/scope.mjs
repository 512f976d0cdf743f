/** Every scope that is open, newest last: a run that is interrupted closes them, too. */
const open = [];

/** What a benchmark opened, closed in reverse when it ends, however it ends. */
export async function withScope(use) {
  const closers = [];
  open.push(closers);
  try {
    return await use((close) => closers.push(close));
  } finally {
    open.splice(open.indexOf(closers), 1);
    await closeAll(closers);
  }
}

/** On SIGINT or SIGTERM closes what is open, and ends. @returns whether that has begun: what fails from then on says nothing */
export function closeWhenInterrupted() {
  let interrupted = false;
  const end = async (signal) => {
    interrupted = true;
    while (open.length > 0) await closeAll(open.pop());
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  return () => interrupted;
}

/** One that fails does not keep the others open. */
async function closeAll(closers) {
  const faults = [];
  while (closers.length > 0) {
    const close = closers.pop();
    await (async () => close())().catch((fault) => faults.push(fault));
  }
  if (faults.length > 0) process.stderr.write(`  while cleaning up: ${faults.map(({ message }) => message).join('; ')}\n`);
}
