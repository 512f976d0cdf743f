import type { Resolution } from './recording.ts';

type Side = 'both' | 'ours' | 'base' | 'theirs';

/**
 * Takes one side of each conflict in a text (or, `union`, our side and then theirs) and drops its markers. Knows the
 * styles `merge` and `diff3`.
 */
export function resolveMarkers(text: string, resolution: Resolution): string {
  let side: Side = 'both';
  return text
    .split('\n')
    .filter((line) => {
      const next = sideAfter(line, side);
      const isMarker = next !== side;
      side = next;
      return !isMarker && (side === 'both' || side === resolution || (resolution === 'union' && side !== 'base'));
    })
    .join('\n');
}

function sideAfter(line: string, side: Side): Side {
  if (side === 'both') return line.startsWith('<<<<<<< ') ? 'ours' : side;
  if (side === 'ours' && line.startsWith('|||||||')) return 'base';
  if (side !== 'theirs' && line === '=======') return 'theirs';
  return side === 'theirs' && line.startsWith('>>>>>>>') ? 'both' : side;
}
