import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenModel } from '../../../src/shared/runner/cli/model-access.ts';
import type { ModelServer } from './model-server.ts';

const BRIDGE = join(import.meta.dirname, 'programs/bridge.mjs');
/** Inside a sandbox all ports are free. */
const PORT = 8_080;

/** The way to a model server from outside of any sandbox: straight. */
export function modelAt(server: ModelServer, scenario: string): OpenModel {
  return async () => ({
    ...{ baseUrl: server.url, key: `stub-${scenario}`, readable: [], writable: [] },
    wrap: (command) => command,
    close: async () => {},
  });
}

/** The way out of a sandbox without a network: by a Unix socket that is shown inside. */
export async function modelBehind(server: ModelServer, folder: string): Promise<(scenario: string) => OpenModel> {
  const socket = join(folder, 'model.sock');
  await server.listenOn(socket);
  // Inside, the CLI is another user.
  chmodSync(socket, 0o777);
  return (scenario) => async () => ({
    ...{ baseUrl: `http://127.0.0.1:${String(PORT)}`, key: `stub-${scenario}`, readable: [socket, BRIDGE], writable: [] },
    wrap: (command) => ({ ...command, argv: ['node', BRIDGE, socket, String(PORT), ...command.argv] }),
    close: async () => {},
  });
}
