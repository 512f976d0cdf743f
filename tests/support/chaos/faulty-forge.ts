import { RetryableError } from '../../../src/shared/errors/errors.ts';
import type { Forge } from '../../../src/shared/forge/forge.ts';

/** Share of the forge's calls that fail, half of them before and half of them after they took effect. */
export const FORGE_FAULTS_VARIABLE = 'CHAOS_FORGE_FAULTS';

/** The same forge, behind a network that breaks: a call that took effect may look as if it had not. */
export function faultyForge(forge: Forge, share = Number(process.env[FORGE_FAULTS_VARIABLE] ?? 0)): Forge {
  if (share === 0) return forge;
  return new Proxy(forge, {
    get: (target, key, receiver) => {
      const value: unknown = Reflect.get(target, key, receiver);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const chance = Math.random();
        if (chance < share / 2) throw broken(String(key), 'before');
        const result: unknown = await Reflect.apply(value, target, args);
        if (chance < share) throw broken(String(key), 'after');
        return result;
      };
    },
  });
}

function broken(call: string, when: 'before' | 'after'): RetryableError {
  return new RetryableError('forge_unreachable', `the connection broke ${when} ${call}`);
}
