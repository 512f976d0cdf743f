import { type ConfigRole, optional, text, url, type Variable } from './variable.ts';

const WORKERS: readonly ConfigRole[] = ['coder', 'reviewer'];

/** The vendors' own variables, as their programs read them too. */
export const MODELS = {
  anthropicApiKey: key('ANTHROPIC_API_KEY', 'The key of the Anthropic API.'),
  anthropicAuthToken: key('ANTHROPIC_AUTH_TOKEN', 'A token for the Anthropic API, or for a gateway that speaks it, instead of a key.'),
  claudeOauthToken: key('CLAUDE_CODE_OAUTH_TOKEN', 'The token of a Claude subscription (`claude setup-token`).'),
  anthropicBaseUrl: modelUrl('ANTHROPIC_BASE_URL', 'Another address of the Anthropic API.'),
  openaiApiKey: key('OPENAI_API_KEY', 'The key of the OpenAI API, or of one that speaks it.'),
  openaiBaseUrl: modelUrl('OPENAI_BASE_URL', 'Another address of the OpenAI API.'),
  geminiApiKey: key('GEMINI_API_KEY', 'The key of the Gemini API.'),
  geminiBaseUrl: modelUrl('GOOGLE_GEMINI_BASE_URL', 'Another address of the Gemini API.'),
} as const satisfies Record<string, Variable<unknown>>;

function key(name: string, description: string): Variable<string | undefined> {
  return optional({ name, group: 'models', schema: text, readers: WORKERS, secret: true, description });
}

function modelUrl(name: string, description: string): Variable<string | undefined> {
  return optional({ name, group: 'models', schema: url(['https', 'http']), readers: WORKERS, description });
}
