import type { Usage } from '../../shared/domain/change.ts';

/** `7s`, `1:05`, `2:03:04`: short enough for a line that is drawn again and again. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${String(seconds)}s`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours > 0 ? `${String(hours)}:${twoDigits(minutes)}:${twoDigits(rest)}` : `${String(minutes)}:${twoDigits(rest)}`;
}

/** `12s`, `5m`, `3h`, `9d`: how old something is. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${String(seconds)}s`;
  if (seconds < 3_600) return `${String(Math.floor(seconds / 60))}m`;
  if (seconds < 86_400) return `${String(Math.floor(seconds / 3_600))}h`;
  return `${String(Math.floor(seconds / 86_400))}d`;
}

/** `$0.0123 · 1,234 tokens in, 56 out`; empty when nothing is known to have been used. */
export function usageText({ inputTokens, outputTokens, costUsd }: Usage): string {
  const cost = costUsd > 0 ? [`$${costUsd.toFixed(costUsd < 1 ? 4 : 2)}`] : [];
  const tokens = inputTokens + outputTokens > 0 ? [`${grouped(inputTokens)} tokens in, ${grouped(outputTokens)} out`] : [];
  return [...cost, ...tokens].join(' · ');
}

/** `1 round`, `2 rounds` */
export function counted(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? '' : 's'}`;
}

function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}
