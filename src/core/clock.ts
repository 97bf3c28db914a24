// Time as a dependency, so that tests can hold it still.

export interface Clock {
  /** ms since the epoch, whole. */
  nowMs(): number;
  /** µs since the epoch. */
  nowUs(): number;
  /** ms on a clock that never goes back, with fractions, and is the same on all threads; only differences mean something. */
  monotonicMs(): number;
}

// performance.now() begins anew on each thread; hrtime is the machine's own clock, but costs an array per call.
const [seconds, nanoseconds] = process.hrtime();
const threadStartMs = seconds * 1000 + nanoseconds / 1e6 - performance.now();

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  monotonicMs: () => threadStartMs + performance.now(),
};
