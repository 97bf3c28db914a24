// Chance with a seed, so that a run that failed can be run again. The seed is printed by whoever makes the dice.
export interface Dice {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
  /** Whole number from `min` to `max`, both possible. */
  between(min: number, max: number): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Dice of their own for a part, so that what one part throws does not change another's. */
  fork(name: string): Dice;
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    seed,
    next,
    between,
    chance: (share) => next() < share,
    pick: (items) => {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
    fork: (name) => {
      let hash = seed >>> 0;
      for (const char of name) hash = (Math.imul(hash, 31) + char.codePointAt(0)!) >>> 0;
      return createDice(hash);
    },
  };
}

export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}
