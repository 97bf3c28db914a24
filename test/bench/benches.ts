// The benchmarks by name.
import type { Bench } from './bench.js';
import { capture, smallTransactions } from './throughput.js';
import { endToEnd, latency } from './end-to-end.js';

export const benches: Readonly<Record<string, Bench>> = {
  capture,
  'end-to-end': endToEnd,
  latency,
  'small-transactions': smallTransactions,
};
