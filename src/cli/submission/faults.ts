import type { z } from 'zod';
import { InvalidInputError } from '../../shared/errors/errors.ts';

/** Collects what is wrong with an input, so that all of it is said at once. */
export interface Faults {
  add(code: string, message: string): void;
  /** What the schema makes of the value, or undefined, with its complaints added under the option's name. */
  check<T>(option: string, schema: z.ZodType<T>, value: unknown): T | undefined;
  /** @throws InvalidInputError naming every fault; its code is the fault's own where there is just one kind, else `invalid_input` */
  throwIfAny(): void;
}

export function createFaults(): Faults {
  const found: { code: string; message: string }[] = [];
  const add: Faults['add'] = (code, message) => void found.push({ code, message });
  return {
    add,
    check: (option, schema, value) => {
      const result = schema.safeParse(value);
      if (result.success) return result.data;
      for (const issue of result.error.issues) add('invalid_input', `${option}: ${readable(issue)}`);
      return undefined;
    },
    throwIfAny: () => {
      const [first] = found;
      if (!first) return;
      const code = found.every((fault) => fault.code === first.code) ? first.code : 'invalid_input';
      throw new InvalidInputError(
        code,
        found.map(({ message }) => message),
      );
    },
  };
}

/** zod's message, with the place where it is inside of a list. */
function readable({ message, path }: z.core.$ZodIssue): string {
  const place = path.map((part) => (typeof part === 'number' ? `number ${String(part + 1)}` : String(part))).join(' ');
  return place === '' ? message : `${place}: ${message}`;
}
