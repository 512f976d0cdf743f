import fc from 'fast-check';

/** What has broken a parser before. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  Number.MAX_SAFE_INTEGER + 1,
  1e308,
  '',
  ' ',
  '\0',
  '\ud800',
  '../../etc/passwd',
  'a'.repeat(20_000),
  [],
  [[[[]]]],
  {},
  { __proto__: null, constructor: { prototype: { polluted: true } } },
  '$JS.API.STREAM.DELETE.JOBS',
  'job-01J9ZQ4W3N8R5T2V7X6YACBDEF.implement.1',
  '00000000000000000000000000000000000000000',
];

type Example = Readonly<Record<string, unknown>>;

/** A message that was one of `examples` once: a field gone, of another kind, too long, too deep; cut off; or no JSON at all. */
export function malformed(examples: readonly Example[]): fc.Arbitrary<Uint8Array> {
  const example = fc.constantFrom(...examples);
  const value = fc.oneof(fc.constantFrom(...ODD_VALUES), fc.jsonValue({ maxDepth: 3 }));
  const changed = fc.tuple(example, fc.nat(), value).map(([one, which, odd]) => textOf(withField(one, which, odd)));
  const without = fc.tuple(example, fc.nat()).map(([one, which]) => textOf(withoutField(one, which)));
  const more = fc.tuple(example, fc.string(), value).map(([one, name, odd]) => textOf({ ...one, [`${name}x`]: odd }));
  const cut = fc.tuple(example, fc.double({ min: 0, max: 0.99, noNaN: true })).map(([one, part]) => {
    const text = textOf(one);
    return text.slice(0, Math.floor(text.length * part));
  });
  const deep = fc.integer({ min: 1, max: 5_000 }).map((levels) => `${'['.repeat(levels)}${']'.repeat(levels)}`);
  const polluting = example.map((one) => textOf(one).replace('{', '{"__proto__":{"polluted":true},'));
  const text = fc.oneof(changed, without, more, cut, deep, polluting, fc.json(), fc.string());
  return fc.oneof(
    { weight: 5, arbitrary: text.map((one) => new TextEncoder().encode(one)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );
}

function withField(one: Example, which: number, odd: unknown): Example {
  const names = Object.keys(one);
  return { ...one, [names[which % names.length] ?? '']: odd };
}

function withoutField(one: Example, which: number): Example {
  const names = Object.keys(one);
  return Object.fromEntries(Object.entries(one).filter(([name]) => name !== names[which % names.length]));
}

function textOf(value: unknown): string {
  return JSON.stringify(value);
}
