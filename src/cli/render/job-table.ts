import type { JobView } from '../../shared/domain/view.ts';
import { age } from './amounts.ts';
import { colourOf } from './job.ts';
import type { Style } from './style.ts';
import { visible } from './visible.ts';
import { padded, truncated, widthOf } from './width.ts';

/** Jobs as an aligned table, a line each; what a person has to do stands below the job that needs it. */
export function jobTable(jobs: readonly JobView[], style: Style, now: number, columns: number): string[] {
  if (jobs.length === 0) return ['no jobs'];
  const rows = [['ID', 'STATUS', 'PHASE', 'ROUND', 'AGE', 'REPOSITORY', 'TITLE'], ...jobs.map((job) => cellsOf(job, now))];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? '')))) ?? [];
  return rows.flatMap((row, index) => {
    const job = jobs[index - 1];
    const line = truncated(
      row
        .map((cell, column) => padded(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
      columns,
    );
    if (!job) return [style.dim(line)];
    const needs = job.needs ? [style.yellow(truncated(`  ↳ ${visible(job.needs.command)}`, columns))] : [];
    return [line.replace(job.status, colourOf(job.status, style)(job.status)), ...needs];
  });
}

function cellsOf(job: JobView, now: number): string[] {
  const priority = job.priority === 'normal' ? '' : ` (${job.priority})`;
  const repository = visible(job.repository).split('/').slice(-1)[0] ?? '';
  return [
    job.id,
    job.status,
    job.phase,
    String(job.round),
    age(now - Date.parse(job.createdAt)),
    repository,
    `${visible(job.title)}${priority}`,
  ];
}
