import type { RepoManagerContext } from '../../../src/agents/repo-manager/context.ts';
import type { WorkerContext } from '../../../src/agents/base/worker-context.ts';
import type { Hooks } from './armed-point.ts';

/** The ports of a repo-manager, each call told to the hooks. Its connection is watched by itself. */
export function watchRepoManager(context: RepoManagerContext, hooks: Hooks): RepoManagerContext {
  const { local } = context.forges;
  return {
    ...context,
    bundles: watched('bundles', context.bundles, hooks),
    forges: local ? { local: watched('forge', local, hooks) } : {},
  };
}

/** The ports of a coder's or a reviewer's worker. */
export function watchWorker(context: WorkerContext, hooks: Hooks): WorkerContext {
  return { ...context, bundles: watched('bundles', context.bundles, hooks), runner: watched('runner', context.runner, hooks) };
}

/** The same object, its methods with a hook before and after: `<name> <method>`. */
export function watched<T extends object>(name: string, port: T, hooks: Hooks): T {
  return new Proxy(port, {
    get: (target, key, receiver) => {
      const value: unknown = Reflect.get(target, key, receiver);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const call = `${name} ${String(key)}`;
        hooks.hit('before', call);
        const result: unknown = Reflect.apply(value, target, args);
        return result instanceof Promise ? result.finally(() => hooks.hit('after', call)) : result;
      };
    },
  });
}
