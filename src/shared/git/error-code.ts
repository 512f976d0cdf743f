/**
 * Whether something thrown by Node carries this code (`ENOENT`, `EEXIST`, ...). Not by `instanceof Error`: an error of
 * `node:fs` may come from another realm than ours (Jest, `vm`).
 */
export function hasErrorCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
