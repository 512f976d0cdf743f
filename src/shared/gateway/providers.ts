/** How a credential of a provider is sent. The first whose variable is set is used. */
export interface ProviderCredential {
  readonly variable: string;
  readonly header: 'authorization' | 'x-api-key' | 'x-goog-api-key';
}

/** An API of models as its vendor documents it, and the variables by which programs are told of it. */
export interface ModelProvider {
  readonly name: 'anthropic' | 'google' | 'openai';
  readonly credentials: readonly ProviderCredential[];
  /** The variable with the base URL, and what it is where that is not set. */
  readonly base: { readonly variable: string; readonly url: string };
  /** What may be called, below the base URL: asking a model, and what models there are. Not the account's files, keys or batches. */
  readonly paths: RegExp;
}

/** Sources: docs.anthropic.com/en/api, platform.openai.com/docs/api-reference, ai.google.dev/api. */
export const PROVIDERS: readonly ModelProvider[] = [
  {
    name: 'anthropic',
    credentials: [
      { variable: 'CLAUDE_CODE_OAUTH_TOKEN', header: 'authorization' },
      { variable: 'ANTHROPIC_AUTH_TOKEN', header: 'authorization' },
      { variable: 'ANTHROPIC_API_KEY', header: 'x-api-key' },
    ],
    base: { variable: 'ANTHROPIC_BASE_URL', url: 'https://api.anthropic.com' },
    paths: /^\/v1\/(?:messages(?:\/count_tokens)?|models(?:\/[\w.:@-]+)?)$/,
  },
  {
    name: 'openai',
    credentials: [{ variable: 'OPENAI_API_KEY', header: 'authorization' }],
    base: { variable: 'OPENAI_BASE_URL', url: 'https://api.openai.com/v1' },
    paths: /^\/(?:responses(?:\/compact)?|chat\/completions|completions|embeddings|models(?:\/[\w.:@-]+)?)$/,
  },
  {
    name: 'google',
    credentials: [{ variable: 'GEMINI_API_KEY', header: 'x-goog-api-key' }],
    base: { variable: 'GOOGLE_GEMINI_BASE_URL', url: 'https://generativelanguage.googleapis.com' },
    paths: /^\/v1(?:alpha|beta)?\/models(?:\/[\w.@-]+(?::(?:generateContent|streamGenerateContent|countTokens|embedContent))?)?$/,
  },
];

/** A provider that has a credential here. */
export interface ConfiguredProvider {
  readonly provider: ModelProvider;
  readonly credential: ProviderCredential & { readonly value: string };
  readonly baseUrl: URL;
}

/** Those of the models' variables by which a provider can be asked. */
export function configuredProviders(environment: Readonly<Record<string, string | undefined>>): ConfiguredProvider[] {
  return PROVIDERS.flatMap((provider) => {
    const credential = provider.credentials.find(({ variable }) => (environment[variable] ?? '') !== '');
    if (credential === undefined) return [];
    const baseUrl = new URL(environment[provider.base.variable] || provider.base.url);
    return [{ provider, credential: { ...credential, value: environment[credential.variable] ?? '' }, baseUrl }];
  });
}
