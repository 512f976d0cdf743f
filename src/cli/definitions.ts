/** The examples at the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}

/** For an option that may be repeated. */
export function collected(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
