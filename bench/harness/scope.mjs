/** What a benchmark opened, closed in reverse when it ends, however it ends. */
export async function withScope(use) {
  const closers = [];
  try {
    return await use((close) => closers.push(close));
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
