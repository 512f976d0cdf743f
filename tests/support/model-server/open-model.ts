import type { Confinement } from '../../../src/shared/gateway/confine.ts';
import type { Sandbox } from '../../../src/shared/process/sandbox/sandbox.ts';
import type { ModelServer } from './model-server.ts';

/** A confinement whose Anthropic API is a scenario of the model server, by the key that only the gateway has. */
export function confinementWith(server: ModelServer, scenario: string, sandbox: Sandbox, home: string): Confinement {
  return { sandbox, home, models: { ANTHROPIC_API_KEY: `stub-${scenario}`, ANTHROPIC_BASE_URL: server.url } };
}
