// Time as a dependency, so that tests can hold it still.

export interface Clock {
  /** ms since the epoch, whole. */
  nowMs(): number;
  /** µs since the epoch. */
  nowUs(): number;
  /** ms on a clock that never goes back, with fractions; only differences mean something. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  monotonicMs: () => performance.now(),
};
