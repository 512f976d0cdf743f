import type { ReviewComment } from '../domain/review.ts';
import { type FileLines, readDiffLines } from './diff-lines.ts';
import { remarkOf, type Verdict, withRemarks } from './verdict.ts';

/**
 * Moves comments on lines that the diff does not show (also of files it does not touch) to the end of the summary: a
 * forge takes none there, and they must not be lost. Changed lines and the context around them are lines of the diff.
 */
export function placeComments(verdict: Verdict, diff: string): Verdict {
  const files = readDiffLines(diff);
  const isPlaced = (comment: ReviewComment): boolean => files.some((file) => isLineOf(file, comment));
  const moved = verdict.comments.filter((comment) => !isPlaced(comment));
  if (moved.length === 0) return verdict;
  const placed = { ...verdict, comments: verdict.comments.filter((comment) => isPlaced(comment)) };
  return withRemarks(
    placed,
    moved.map((comment) => remarkOf(comment)),
  );
}

function isLineOf(file: FileLines, comment: ReviewComment): boolean {
  if (comment.side === 'RIGHT') return comment.path === file.newPath && file.right.has(comment.line);
  // A renamed file is known by either name.
  return (comment.path === file.oldPath || comment.path === file.newPath) && file.left.has(comment.line);
}
