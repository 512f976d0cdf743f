import type { ServerResponse } from 'node:http';

/** Answers in the form that the models' vendors have for errors, so that programs show the message. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ type: 'error', error: { type: 'multi_agent_gateway', message } }));
}
