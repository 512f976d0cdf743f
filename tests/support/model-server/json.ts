import { randomUUID } from 'node:crypto';

/** What other people's JSON holds, looked at without believing in any of it. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The JSON of a body; nothing where it is none (telemetry in batches). */
export function bodyOf(raw: string): Fields {
  try {
    return fieldsOf(JSON.parse(raw));
  } catch {
    return {};
  }
}

/** `msg_0123...`, as the services make them. */
export function newId(prefix: string): string {
  return prefix + randomUUID().replaceAll('-', '').slice(0, 24);
}
