import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { callOf } from './actions.ts';
import { bodyOf, type Fields, newId, textOf } from './json.ts';
import { ENCODERS, errorBody, type Protocol, type Route, routeOf, toolsOf } from './protocols.ts';
import { keysOf, scenarioIn, workingDirectoryIn } from './requests.ts';
import type { Answer, Scenario, Step, StepUsage, Tool } from './steps.ts';

/** A request as it came, and what was answered. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly protocol: Protocol | undefined;
  readonly scenario: string;
  /** Whether it has tools, and so took a step of its scenario. Others (a title for the conversation) get a word and no more. */
  readonly isMain: boolean;
  readonly tools: readonly string[];
  readonly body: Fields;
  /** The body as it came. */
  readonly text: string;
  /** What the answer said it cost; undefined where there was none, or an error. */
  readonly usage?: StepUsage;
}

/**
 * A model that says what a test tells it to, on loopback, to whatever CLI asks: it speaks Anthropic Messages, OpenAI Responses, OpenAI Chat and
 * Gemini, as one document or as a stream of events. The key is never checked: `stub-<name>` names the scenario (else `default`), so that many
 * CLIs can share a server.
 */
export interface ModelServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Those of a scenario that took a step. */
  requestsOf(scenario: string): readonly SeenRequest[];
  /** Sets a scenario, which begins at its first step. */
  script(name: string, steps: Scenario): void;
  /** Listens on a Unix socket as well: for what has no network. */
  listenOn(socket: string): Promise<void>;
  close(): Promise<void>;
}

interface State {
  readonly scenarios: Map<string, readonly Step[]>;
  readonly cursors: Map<string, number>;
  readonly requests: SeenRequest[];
}

/** More than any test needs: a CLI that goes round in circles is told so. */
const MAX_REQUESTS = 1_000;
const SIDE_STEP: Step = { text: '{"title":"stub","isNewTopic":false}' };

export async function startModelServer(): Promise<ModelServer> {
  const state: State = { scenarios: new Map(), cursors: new Map(), requests: [] };
  const main = serverOf(state);
  const servers = [main];
  await listen(main, { port: 0, host: '127.0.0.1' });
  return {
    url: `http://127.0.0.1:${String((main.address() as AddressInfo).port)}`,
    requests: state.requests,
    requestsOf: (scenario) => state.requests.filter((request) => request.scenario === scenario && request.isMain),
    script: (name, steps) => {
      state.scenarios.set(
        name,
        steps.flatMap((step) => Array.from({ length: step.times ?? 1 }, () => step)),
      );
      state.cursors.delete(name);
    },
    listenOn: async (socket) => {
      const server = serverOf(state);
      servers.push(server);
      await listen(server, { path: socket });
    },
    close: async () => {
      await Promise.all(servers.map(closed));
    },
  };
}

function serverOf(state: State): Server {
  const server = createServer((request, response) => {
    handle(state, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answerJson(response, 500, { error: { type: 'stub_fault', message: String(error) } });
    });
  });
  // Codex tries WebSockets first; told so, it falls back to HTTP at once.
  server.on('upgrade', (_, socket) => {
    socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  return server;
}

function listen(server: Server, where: { port: number; host: string } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(where, resolve);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const raw = await text(request);
  const body = bodyOf(raw);
  const route = routeOf(url.pathname);
  const tools = route === undefined ? [] : toolsOf(route.protocol, body);
  const scenario = scenarioIn([...keysOf(request.headers, url), raw], state.scenarios);
  const isMain = route?.operation === 'answer' && tools.length > 0;
  const seen: SeenRequest = {
    ...{ method: request.method ?? '', path: url.pathname + url.search, protocol: route?.protocol, scenario, isMain, body, text: raw },
    tools: tools.map(({ name }) => name),
  };
  const index = state.requests.push(seen) - 1;
  if (route === undefined) {
    answerOther(request, response, url);
    return;
  }
  if (index >= MAX_REQUESTS) {
    answerJson(response, 400, errorBody(route.protocol, 400, { message: 'stub: too many requests' }));
    return;
  }
  if (route.operation === 'count') {
    answerCount(response, route.protocol, raw);
    return;
  }
  const step = isMain ? nextStep(state, scenario) : SIDE_STEP;
  const usage = { input: Math.ceil(raw.length / 4), output: 20, ...step.usage };
  if (!isFault(step)) state.requests[index] = { ...seen, usage };
  await answer(response, step, { route, url, body, raw, tools, usage });
}

function isFault({ status, hang, cut, sseError }: Step): boolean {
  return status !== undefined || hang === true || cut === true || sseError !== undefined;
}

function nextStep({ scenarios, cursors }: State, scenario: string): Step {
  const steps = scenarios.get(scenario) ?? [];
  const cursor = cursors.get(scenario) ?? 0;
  cursors.set(scenario, cursor + 1);
  return steps[Math.min(cursor, steps.length - 1)] ?? { text: 'OK' };
}

interface Asked {
  readonly route: Route;
  readonly url: URL;
  readonly body: Fields;
  readonly raw: string;
  readonly tools: readonly Tool[];
  readonly usage: StepUsage;
}

async function answer(response: ServerResponse, step: Step, asked: Asked): Promise<void> {
  const { protocol } = asked.route;
  if (step.delayMs !== undefined) await sleep(step.delayMs);
  // Open until one of the two closes it.
  if (step.hang === true) return;
  if (step.status !== undefined) {
    answerJson(response, step.status, errorBody(protocol, step.status, step), step.headers);
    return;
  }
  const { events, body } = ENCODERS[protocol](answerOf(step, asked));
  const isStream = protocol === 'gemini' ? asked.url.pathname.endsWith(':streamGenerateContent') : asked.body['stream'] === true;
  if (!isStream) {
    answerJson(response, 200, body);
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'request-id': newId('req_'),
    ...step.headers,
  });
  for (const [index, [name, data]] of events.entries()) {
    response.write(`${name === null ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    if (step.cut === true && index >= 1) return void response.destroy();
    if (step.sseError !== undefined) {
      const error = { type: step.sseError, message: step.sseError };
      return void response.end(`event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`);
    }
    if (step.chunkDelayMs !== undefined) await sleep(step.chunkDelayMs);
  }
  response.end();
}

function answerOf(step: Step, { body, raw, tools, usage }: Asked): Answer {
  const cwd = workingDirectoryIn(raw);
  return {
    ...{ text: step.text, thinking: step.thinking, stop: step.stop, usage, model: textOf(body['model']) ?? 'stub-model' },
    calls: (step.tools ?? []).map((action) => callOf(action, tools, cwd)),
  };
}

function answerCount(response: ServerResponse, protocol: Protocol, raw: string): void {
  const tokens = Math.ceil(raw.length / 4);
  answerJson(response, 200, protocol === 'gemini' ? { totalTokens: tokens } : { input_tokens: tokens });
}

function answerOther({ method }: IncomingMessage, response: ServerResponse, { pathname }: URL): void {
  if (method === 'HEAD' || pathname === '/') return answerJson(response, 200, { ok: true });
  if (!pathname.endsWith('/models')) {
    return answerJson(response, 404, { error: { type: 'not_found_error', message: `stub: no route ${method ?? ''} ${pathname}` } });
  }
  const model = { id: 'stub-model', object: 'model', type: 'model', display_name: 'Stub', name: 'models/stub-model' };
  answerJson(response, 200, { object: 'list', data: [{ ...model, created_at: '2025-01-01T00:00:00Z' }], models: [], has_more: false });
}

function answerJson(response: ServerResponse, status: number, body: unknown, headers: Step['headers'] = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': newId('req_'), ...headers });
  response.end(JSON.stringify(body));
}
