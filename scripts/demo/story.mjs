/**
 * What the demo is about: a small repository, a feature for it, and the recording of how that feature was implemented, sent back, corrected
 * and approved. The flaw of round 1 is real: its check is green, and `slug('one two', { maxLength: 4 })` is `one-`.
 */

const IMPLEMENTATION = `/**
 * A title as it can stand in a URL: lower case, without accents, words joined by hyphens.
 */
export function slug(title) {
  return title
    .normalize('NFKD')
    .replace(/[\\u0300-\\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
`;

const TESTS = `import assert from 'node:assert/strict';
import { test } from 'node:test';

import { slug } from '../src/slug.js';

test('joins words by hyphens', () => {
  assert.equal(slug('Hello, World!'), 'hello-world');
});

test('takes accents away', () => {
  assert.equal(slug('Crème brûlée'), 'creme-brulee');
});
`;

/** The sample repository, as it is before the feature. */
export const SAMPLE_FILES = {
  'package.json': `${JSON.stringify({ name: 'slug', version: '1.0.0', type: 'module', exports: './src/slug.js' }, null, 2)}\n`,
  'README.md': '# slug\n\n    slug("Crème brûlée") // "creme-brulee"\n',
  '.multi-agent.json': `${JSON.stringify({ checks: ['node --test'] }, null, 2)}\n`,
  'src/slug.js': IMPLEMENTATION,
  'test/slug.test.js': TESTS,
};

/** What is asked for, as `submit-feature` takes it. */
export const FEATURE = {
  title: 'Limit the length of a slug',
  description: 'slug(title, { maxLength }) gives a slug of at most maxLength characters. Without the option nothing changes.',
  acceptance: ['a slug never ends with a hyphen', 'the option is in the README'],
};

const WITH_OPTION = `/**
 * A title as it can stand in a URL: lower case, without accents, words joined by hyphens.
 *
 * @param {{ maxLength?: number }} [options] maxLength: the most characters it may have. Default: no limit.
 */
export function slug(title, { maxLength = Infinity } = {}) {
  return title
    .normalize('NFKD')
    .replace(/[\\u0300-\\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, maxLength);
}
`;

const TEST_OF_LIMIT = `
test('is no longer than the limit', () => {
  assert.equal(slug('Hello, World!', { maxLength: 5 }), 'hello');
});
`;

const TEST_OF_END = `
test('does not end with a hyphen where it is cut', () => {
  assert.equal(slug('one two', { maxLength: 4 }), 'one');
});
`;

const says = (...texts) => texts.map((text) => ({ text, afterMs: 450 }));

/** The recording, for coder and reviewer alike: an entry a line, see docs/writing-a-runner.md. */
export const RECORDING = [
  {
    role: 'coder',
    round: 1,
    events: says('reading src/slug.js and its tests', 'adding the option maxLength', 'adding a test for it, and a line to the README'),
    edits: [
      { path: 'src/slug.js', content: WITH_OPTION },
      { path: 'test/slug.test.js', append: TEST_OF_LIMIT },
      { path: 'README.md', append: '    slug("Hello, World!", { maxLength: 5 }) // "hello"\n' },
    ],
    summary: 'slug() takes maxLength and cuts what is longer.',
  },
  {
    role: 'reviewer',
    round: 1,
    events: says('reading the diff', 'trying it on titles that are cut between two words'),
    verdict: {
      decision: 'REQUEST_CHANGES',
      summary: 'A slug that is cut between two words ends with a hyphen.',
      comments: [
        {
          path: 'src/slug.js',
          line: 13,
          severity: 'error',
          body: "slug('one two', { maxLength: 4 }) gives 'one-'. Cut first, then take hyphens from the ends; and please add a test of it.",
          suggestion: "    .slice(0, maxLength)\n    .replace(/-$/, '');",
        },
      ],
    },
  },
  {
    role: 'coder',
    round: 2,
    events: says('reading the review', 'a slug that was cut loses its last hyphen', 'adding the test that was asked for'),
    edits: [
      {
        path: 'src/slug.js',
        replace: { from: '    .slice(0, maxLength);', to: "    .slice(0, maxLength)\n    .replace(/-$/, '');" },
      },
      { path: 'test/slug.test.js', append: TEST_OF_END },
    ],
    summary: 'A slug that is cut between two words loses its last hyphen; a test shows it.',
  },
  {
    role: 'reviewer',
    round: 2,
    events: says('reading what changed since round 1', 'the hyphen is gone, and a test holds it'),
    verdict: { decision: 'APPROVE', summary: 'Does what was asked for; the point of round 1 is answered, with a test.', comments: [] },
  },
];
