// Numbers that are random enough for a demo and the same for the same seed (mulberry32).

export interface Random {
  /** From 0 up to, but not including, `end`; whole. */
  below(end: number): number;
  pick<T>(values: readonly T[]): T;
  /** True in this share of the calls. */
  chance(share: number): boolean;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    pick: (values) => values[below(values.length)]!,
    chance: (share) => next() < share,
  };
}
