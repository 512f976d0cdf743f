/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Takes secrets out of text: those it was told of, and what looks like one. */
export interface Redactor {
  /** From now on `value` is taken out wherever it appears, also as JSON would write it. Values under six characters are left alone. */
  add(value: string): void;
  redact(text: string): string;
}

// Forms of well-known credentials. Deliberately few and exact: a commit id or a ULID must never match.
const PATTERNS: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{16,}/g, // Anthropic, OpenAI
  /\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}/g, // GitHub
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/g, // Slack
  /\bAIza[A-Za-z0-9_-]{30,}/g, // Google
  /\bS[AUONC][A-Z2-7]{56}\b/g, // nkey seeds
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g, // JSON web tokens
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
  /(?<=:\/\/[^\s/:@"]{0,100}:)[^\s/@"]+(?=@)/g, // the password in a URL
  /(?<=\b(?:[Aa]uthorization|[Bb]earer|[Bb]asic)(?:"?:\s*"?(?:[Bb]earer |[Bb]asic )?| ))[A-Za-z0-9._~+/=-]{16,}/g,
];

const SHORTEST = 6;

export function createRedactor(values: readonly string[] = []): Redactor {
  const known = new Set<string>();
  const add = (value: string): void => {
    for (const form of [value, JSON.stringify(value).slice(1, -1)]) if (form.length >= SHORTEST) known.add(form);
  };
  values.forEach(add);
  return {
    add,
    redact: (text) => {
      let clean = text;
      for (const value of known) clean = clean.replaceAll(value, REDACTED);
      for (const pattern of PATTERNS) clean = clean.replace(pattern, REDACTED);
      return clean;
    },
  };
}
