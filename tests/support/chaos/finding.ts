/**
 * What is wrong.
 * - `lost`: what was acknowledged did not come to the end it had to come to.
 * - `doubled`: something took effect twice.
 * - `untrue`: the record says one thing and the repository another.
 * - `red`: a base branch got a tree that no green check has seen.
 * - `orphan`: something is left of what is over.
 */
export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'untrue' | 'red' | 'orphan';
  readonly what: string;
}
