/** Thrown by a benchmark that can't be run here. */
export class Skipped extends Error {}
