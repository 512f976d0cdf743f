/** What did not go the ordinary way in a run, by the place where it was decided: `<where>#<how often it was decided there before>`. */
export type Chosen = ReadonlyMap<string, number>;

/**
 * Everything that is left to chance. Each decision has a name, and its outcome depends on the seed, the name and how often it was asked
 * there: so that one decision can be taken back without changing all the others, which is what makes a failing run shrink.
 */
export interface Luck {
  /** 0, the ordinary way; or, with this probability, one of 1 to `ways`. */
  draw(where: string, probability: number, ways: number): number;
  /** One of 0 to `ways - 1`, all of them equally ordinary; taken back it is 0. */
  pick(where: string, ways: number): number;
  /** From here on everything goes the ordinary way. */
  end(): void;
  readonly chosen: Chosen;
}

/** By chance, from a seed. */
export function randomLuck(seed: number): Luck {
  return luckOf((hash, probability, ways) => (unit(mix(hash, seed)) < probability ? 1 + (mix(hash, seed + 1) % ways) : 0));
}

/** Exactly what was chosen before, and nothing else. */
export function givenLuck(given: Chosen): Luck {
  return luckOf((_hash, _probability, ways, name) => {
    const value = given.get(name()) ?? 0;
    return value === 0 ? 0 : 1 + ((value - 1) % ways);
  });
}

type Decide = (hash: number, probability: number, ways: number, name: () => string) => number;

function luckOf(decide: Decide): Luck {
  const places = new Map<string, { readonly hash: number; asked: number }>();
  const chosen = new Map<string, number>();
  let ended = false;
  const draw = (where: string, probability: number, ways: number): number => {
    if (ended) return 0;
    let place = places.get(where);
    if (!place) places.set(where, (place = { hash: hashOf(where), asked: 0 }));
    const asked = place.asked++;
    const name = (): string => `${where}#${String(asked)}`;
    const value = decide(mix(place.hash, asked), probability, ways, name);
    if (value !== 0) chosen.set(name(), value);
    return value;
  };
  return {
    draw,
    pick: (where, ways) => draw(where, (ways - 1) / ways, ways - 1),
    end: () => {
      ended = true;
    },
    chosen,
  };
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Two numbers to one that looks like neither (the finalizer of MurmurHash3). */
function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ (b + 0x9e3779b9), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= Math.imul(b, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function unit(hash: number): number {
  return hash / 2 ** 32;
}
