import type { Environment } from '../../process/environment.ts';

export interface ClaudeEnvironment {
  /** Where it keeps conversations. */
  readonly configFolder: string;
  /** Of a call that fails (the CLI's default is 10, which keeps a refused key for minutes). */
  readonly maxRetries: number;
  /** The longest that the model's service may take to begin an answer (milliseconds). */
  readonly apiTimeoutMs: number;
}

/** What Claude Code is told by its environment beside where its model is: that it is to talk to nobody else. */
export function claudeVariables({ configFolder, maxRetries, apiTimeoutMs }: ClaudeEnvironment): Environment {
  return {
    CLAUDE_CONFIG_DIR: configFolder,
    CLAUDE_CODE_MAX_RETRIES: String(maxRetries),
    API_TIMEOUT_MS: String(apiTimeoutMs),
    // Seen: without these it asks for names of several hosts.
    DISABLE_TELEMETRY: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // What it writes for itself and reads next time, past the reviewers' eyes.
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // A second bolt: `--setting-sources ''` leaves them out already.
    CLAUDE_CODE_DISABLE_CLAUDE_MDS: '1',
  };
}
