import { execFileSync } from 'node:child_process';
import { isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFaults } from '../../src/cli/submission/faults.ts';
import { forgeUrl } from '../../src/cli/submission/forge-url.ts';
import { BranchName, Repository } from '../../src/shared/domain/feature.ts';
import { AGAIN, SEED, size } from '../support/fuzz/scale.ts';

const NASTY = [
  '..',
  '/',
  '//',
  '.',
  '@',
  '@{',
  '~',
  '^',
  ':',
  '?',
  '*',
  '[',
  '\\',
  ' ',
  '\0',
  '\n',
  '\t',
  '\x7f',
  '-',
  '--',
  '.lock',
  ';',
  '|',
  '&',
  '$(',
  '`',
  "'",
  '"',
];
const WORDS = [
  'main',
  'feature',
  'HEAD',
  'refs/heads/',
  'refs',
  'multi-agent/',
  'upload-pack=x',
  'ext::sh',
  'café',
  '\u202e',
  '%2e%2e',
  'a'.repeat(80),
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...NASTY, ...WORDS), fc.string({ maxLength: 4 }), fc.constantFrom('a', 'b', '1', '_')), { maxLength: 8 })
  .map((parts) => parts.join(''));

describe(`hostile names (${AGAIN})`, () => {
  it('a branch name that is taken is one for git, and nothing for a shell or an option parser', () => {
    const taken: string[] = [];

    fc.assert(
      fc.property(hostile, (name) => {
        if (!BranchName.safeParse(name).success) return;
        taken.push(name);
        expect(name).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._/+@-]*$/);
        expect(name).not.toMatch(/\.\.|\/\/|@\{|\.lock$|^refs\/|^multi-agent\//);
      }),
      { numRuns: size(10_000, 2_500), seed: SEED },
    );

    const sample = [...new Set(taken)].slice(0, size(200, 25));
    expect(sample.length).toBeGreaterThan(5);
    for (const name of sample) execFileSync('git', ['check-ref-format', `refs/heads/${name}`]);
  });

  it('a repository path that is taken is absolute, and goes nowhere else than it says', () => {
    fc.assert(
      fc.property(hostile, fc.boolean(), (name, isAbsolute) => {
        const parsed = Repository.safeParse({ kind: 'local', url: isAbsolute ? `/${name}` : name });
        if (!parsed.success) return;
        expect(parsed.data.url.startsWith('/')).toBe(true);
        expect(parsed.data.url.split('/')).not.toContain('..');
        expect(parsed.data.url).not.toMatch(/[\0-\x1f\x7f]/);
      }),
      { numRuns: size(10_000, 2_500), seed: SEED },
    );
  });
});

const SCHEMES = ['https://', 'http://', 'ssh://git@', 'git@', 'file://', 'ext::', 'https:/', 'HTTPS://', 'javascript:', '//', ''];
const HOSTS = [
  'github.com',
  'GitHub.com',
  'github.com:443',
  'github.com.',
  'user:secret@github.com',
  'github.com@evil.test',
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
  '[::1]',
  'localhost',
  'evil.test',
  'xn--gthub-2ve.com',
  'github。com',
  '169.254.169.254',
  '10.0.0.1',
  'metadata.google.internal',
];
const PATHS = [
  '/o/r',
  '/o/r.git',
  '/o/..',
  '/../r',
  '/./r',
  '/o/r/../../x/y',
  '/o/r?x=1',
  '/o/r#f',
  '/o/%2e%2e',
  '/o/r/',
  '//r',
  '/o',
  '/-o/r',
  '/o/r;id',
  '/o/r$(id)',
  '/o/\\r',
  '/o/r\n',
  ':o/r',
  '/o /r',
  '/.../...',
  '/o/r/s',
];
const url = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...SCHEMES), fc.constantFrom(...HOSTS), fc.constantFrom(...PATHS)).map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...SCHEMES), hostile).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...HOSTS), hostile).map(([host, path]) => `https://${host}/o/${path}`) },
);

/** What a forge's client would make of it. */
function expectSafe(text: string): void {
  const parsed = new URL(text);
  expect(parsed.protocol).toBe('https:');
  expect([parsed.username, parsed.password, parsed.port, parsed.search, parsed.hash].join('')).toBe('');
  expect(isIP(parsed.hostname.replace(/^\[|\]$/g, ''))).toBe(0);
  expect(`https://${parsed.hostname}${parsed.pathname}`).toBe(text);
  expect(parsed.pathname.split('/').filter((part) => part !== '')).toHaveLength(2);
}

describe(`hostile URLs (${AGAIN})`, () => {
  it('one that a message may carry is plain https, to exactly what it names', () => {
    fc.assert(
      fc.property(url, (text) => {
        if (Repository.safeParse({ kind: 'github', url: text }).success) expectSafe(text);
      }),
      { numRuns: size(2_000, 1_000), seed: SEED },
    );
  });

  it('one that a person may type comes out as plain https on a known host', () => {
    fc.assert(
      fc.property(url, (text) => {
        const made = forgeUrl(text, createFaults());
        if (made === undefined) return;
        expectSafe(made);
        expect(new URL(made).hostname).toBe('github.com');
        expect(Repository.safeParse({ kind: 'github', url: made }).success).toBe(true);
      }),
      { numRuns: size(2_000, 1_000), seed: SEED },
    );
  });
});
