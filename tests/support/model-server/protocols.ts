import { encodeAnthropic } from './encode-anthropic.ts';
import { encodeChat } from './encode-chat.ts';
import { encodeGemini } from './encode-gemini.ts';
import { encodeResponses } from './encode-responses.ts';
import { type Fields, fieldsOf, listOf, textOf } from './json.ts';
import type { Answer, Encoded, Step, Tool, ToolKind } from './steps.ts';

export type Protocol = 'anthropic' | 'chat' | 'gemini' | 'responses';

/** What a path asks for: an answer, or the tokens of a request. */
export interface Route {
  readonly protocol: Protocol;
  readonly operation: 'answer' | 'count';
}

const ROUTES: readonly (readonly [RegExp, Route])[] = [
  [/\/messages\/count_tokens$/, { protocol: 'anthropic', operation: 'count' }],
  [/\/messages$/, { protocol: 'anthropic', operation: 'answer' }],
  [/\/responses$/, { protocol: 'responses', operation: 'answer' }],
  [/\/chat\/completions$/, { protocol: 'chat', operation: 'answer' }],
  [/:countTokens$/, { protocol: 'gemini', operation: 'count' }],
  [/:(?:streamGenerateContent|generateContent)$/, { protocol: 'gemini', operation: 'answer' }],
];

export function routeOf(path: string): Route | undefined {
  return ROUTES.find(([pattern]) => pattern.test(path))?.[1];
}

export const ENCODERS: Readonly<Record<Protocol, (answer: Answer) => Encoded>> = {
  anthropic: encodeAnthropic,
  chat: encodeChat,
  gemini: encodeGemini,
  responses: encodeResponses,
};

/** All tools that a request offers its model. */
export function toolsOf(protocol: Protocol, body: Fields): Tool[] {
  if (protocol === 'gemini') {
    const declared = listOf(body['tools']).flatMap((tool) => listOf(tool['functionDeclarations']));
    return declared.flatMap((tool) => toolOf(tool['name'], tool['parametersJsonSchema'] ?? tool['parameters']));
  }
  return listOf(body['tools']).flatMap((tool) => {
    if (tool['type'] === 'namespace') {
      const kindOf = (inner: Fields): ToolKind => (inner['type'] === 'custom' ? 'custom' : 'function');
      return listOf(tool['tools']).flatMap((inner) => toolOf(inner['name'], inner['parameters'], kindOf(inner), textOf(tool['name'])));
    }
    if (tool['type'] === 'custom') return toolOf(tool['name'], {}, 'custom');
    const wrapped = fieldsOf(tool['function']);
    if (wrapped['name'] !== undefined) return toolOf(wrapped['name'], wrapped['parameters']);
    return toolOf(tool['name'], tool['input_schema'] ?? tool['parameters']);
  });
}

function toolOf(name: unknown, given: unknown, kind: ToolKind = 'function', namespace?: string): Tool[] {
  const schema = fieldsOf(given);
  if (typeof name !== 'string') return [];
  return [{ name, schema, kind, namespace, properties: new Set(Object.keys(fieldsOf(schema['properties']))) }];
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'service_unavailable',
  529: 'overloaded_error',
};
const GEMINI_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** The body of an HTTP error as the service writes it. */
export function errorBody(protocol: Protocol, status: number, { errorType, message }: Pick<Step, 'errorType' | 'message'>): unknown {
  const type = errorType ?? ERROR_TYPES[status] ?? 'api_error';
  const said = message ?? `stub ${String(status)} ${type}`;
  if (protocol === 'anthropic') return { type: 'error', error: { type, message: said }, request_id: 'req_stub' };
  if (protocol === 'gemini') return { error: { code: status, message: said, status: GEMINI_STATUS[status] ?? 'UNKNOWN' } };
  return { error: { message: said, type, param: null, code: type } };
}
