import { describe, expect, it } from '@jest/globals';
import { createScope } from '../../../../src/shared/lifecycle/scope.ts';

describe('a scope', () => {
  it('closes in reverse order, each once', async () => {
    const closed: string[] = [];
    const scope = createScope();
    for (const name of ['connection', 'consumer', 'timer']) scope.add(() => void closed.push(name));

    await Promise.all([scope.close(), scope.close()]);

    expect(closed).toEqual(['timer', 'consumer', 'connection']);
  });

  it('closes the rest when one fails, and then says what failed', async () => {
    const closed: string[] = [];
    const scope = createScope();
    scope.add(() => void closed.push('connection'));
    scope.add(() => Promise.reject(new Error('consumer is stuck')));

    await expect(scope.close()).rejects.toMatchObject({ errors: [new Error('consumer is stuck')] });

    expect(closed).toEqual(['connection']);
  });
});
