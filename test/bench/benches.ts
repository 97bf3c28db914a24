// The benchmarks by name, in the order in which they run when no name is given.
import type { Bench } from './bench.js';
import { endToEnd, latency, latencyKafka, subscribers } from './end-to-end.js';
import { memory, start } from './idle.js';
import { manyTables } from './many-tables.js';
import { pull } from './pull.js';
import { rebuild } from './rebuild.js';
import { snapshot } from './snapshot.js';
import { snapshotThreads } from './snapshot-threads.js';
import { statementsKafka } from './statements.js';
import { capture, captureKafka, captureMariadb, smallTransactions } from './throughput.js';

export const benches: Readonly<Record<string, Bench>> = {
  capture,
  'capture-mariadb': captureMariadb,
  'capture-kafka': captureKafka,
  'end-to-end': endToEnd,
  latency,
  'latency-kafka': latencyKafka,
  'small-transactions': smallTransactions,
  snapshot,
  'snapshot-threads': snapshotThreads,
  pull,
  'many-tables': manyTables,
  'statements-kafka': statementsKafka,
  rebuild,
  start,
  memory,
  subscribers,
};
