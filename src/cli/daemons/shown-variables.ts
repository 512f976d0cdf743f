import { entries, rawValue, type Environment } from '../../shared/config/load.ts';

/** One variable, as `config` shows it. */
export interface ShownVariable {
  readonly name: string;
  /** Null where it is not set and has no default; `***` where it is a secret. */
  readonly value: string | null;
  readonly source: 'environment' | 'default' | 'unset';
}

/** The table with what `env` makes of it. */
export function shownVariables(env: Environment): ShownVariable[] {
  return entries().map(([, variable]) => {
    const set = rawValue(variable, env);
    const value = set === undefined ? variable.fallback : variable.secret ? '***' : set;
    return {
      name: variable.name,
      value: value ?? null,
      source: set !== undefined ? 'environment' : variable.fallback === undefined ? 'unset' : 'default',
    };
  });
}
