import { createHash } from 'node:crypto';

/**
 * Puts a text that someone else wrote between two lines that it cannot hold itself: they carry a digest of the text, so
 * that nothing in it can end the block early and speak as the prompt.
 */
export function quoted(label: string, text: string, maxLength: number): string {
  const shown =
    text.length > maxLength
      ? `${text.slice(0, maxLength)}\n[cut: ${String(text.length - maxLength)} more characters in the context file]`
      : text;
  const digest = createHash('sha256').update(label).update('\0').update(shown).digest('hex').slice(0, 16);
  return [`<<<${label} ${digest}`, shown, `${digest} ${label}>>>`].join('\n');
}
