// Built from strings: a control character in a literal is refused by the linter, and taking them out is the very purpose here.
const ESCAPE_SEQUENCE = new RegExp('\\u001b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)?|[@-Z\\\\-_])', 'g');
const CONTROL = new RegExp('[\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]', 'g');

/**
 * One line of text from outside (a runner, a repository, a request) without what a terminal would act on: escape sequences,
 * control characters, marks that turn the writing direction.
 */
export function visible(text: string): string {
  return text.replace(ESCAPE_SEQUENCE, '').replace(CONTROL, ' ');
}

/** The same for text of several lines. */
export function visibleLines(text: string): string[] {
  return text.split(/\r?\n/).map(visible);
}
