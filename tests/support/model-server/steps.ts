/** A tool call as its CLI names it, or one of the portable actions, which become the tool that the CLI has advertised for them. */
export type Action =
  | { readonly name: string; readonly kind?: ToolKind; readonly input?: unknown; readonly namespace?: string }
  | { readonly write: { readonly path: string; readonly content: string } }
  | { readonly edit: { readonly path: string; readonly old: string; readonly new: string } }
  | { readonly read: { readonly path: string } }
  | { readonly bash: { readonly command: string } }
  /** The tool by which a CLI takes an answer that follows a schema. */
  | { readonly json: Readonly<Record<string, unknown>> };

export type ToolKind = 'function' | 'custom';

export interface StepUsage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

/** How the model answers one request. */
export interface Step {
  readonly text?: string;
  /** Anthropic only. */
  readonly thinking?: string;
  readonly tools?: readonly Action[];
  /** Default: a quarter of the request's bytes, and 20. */
  readonly usage?: Partial<StepUsage>;
  /** An HTTP error, with its type, message and headers. */
  readonly status?: number;
  readonly errorType?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Before the first byte, and between events (milliseconds). */
  readonly delayMs?: number;
  readonly chunkDelayMs?: number;
  /** Takes the request and never answers. */
  readonly hang?: boolean;
  /** Breaks the connection after the second event. */
  readonly cut?: boolean;
  /** An error of this type within the stream, after the first event. */
  readonly sseError?: string;
  /** Ends truncated. */
  readonly stop?: 'max_tokens';
  /** How many requests it answers (default 1). */
  readonly times?: number;
}

/** Steps, one a request that has tools; the last one is repeated. */
export type Scenario = readonly Step[];

/** A tool that a request advertises. */
export interface Tool {
  readonly name: string;
  readonly properties: ReadonlySet<string>;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly kind: ToolKind;
  readonly namespace: string | undefined;
}

/** A tool call as it goes over the wire. */
export interface Call {
  readonly name: string;
  readonly kind: ToolKind;
  readonly input: unknown;
  readonly namespace: string | undefined;
}

/** A step that is to be encoded. */
export interface Answer {
  readonly text: string | undefined;
  readonly thinking: string | undefined;
  readonly calls: readonly Call[];
  readonly usage: StepUsage;
  readonly stop: 'max_tokens' | undefined;
  readonly model: string;
}

/** The same answer as a stream of events (name, or null for none) and as one document. */
export interface Encoded {
  readonly events: readonly (readonly [string | null, unknown])[];
  readonly body: unknown;
}
