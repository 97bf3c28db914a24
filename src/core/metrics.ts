// What the rooms count. Names follow Prometheus (base units, `_total`); the server room exposes them. Counters of a worker
// thread are read by the main thread as a plain snapshot, so this stays a bag of numbers without a library.

export type Labels = Readonly<Record<string, string>>;

export interface MetricSample {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Labels;
  readonly value: number;
  /** Histogram only: upper bounds and cumulative counts, and the sum of all observations. */
  readonly buckets?: readonly { readonly le: number; readonly count: number }[];
  readonly sum?: number;
}

export interface Metrics {
  /** Adds to a counter. */
  count(name: MetricName, by?: number, labels?: Labels): void;
  /** Sets a gauge. */
  gauge(name: MetricName, value: number, labels?: Labels): void;
  /** One observation, in the metric's base unit (seconds, bytes). */
  observe(name: MetricName, value: number, labels?: Labels): void;
  samples(): MetricSample[];
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every metric of the process, declared once. */
export const metricDefinitions = {
  writethrough_events_total: ['counter', 'records taken from a source: rows of its snapshots, and changes'],
  writethrough_transactions_total: ['counter', 'transactions taken from a source, and groups of snapshot rows'],
  writethrough_capture_reconnects_total: [
    'counter',
    'times that a source was connected again after its connection was lost',
  ],
  writethrough_connector_restarts_total: [
    'counter',
    'times that a connector was started again by itself after it failed',
  ],
  writethrough_connector_retry_attempt: [
    'gauge',
    'the number of the next try of a connector that waits for one, by what it failed for',
  ],
  writethrough_connector_retry_timestamp_seconds: ['gauge', 'when a connector that waits for its next try has it'],
  writethrough_verify_rows_total: ['counter', 'rows of sources that were compared with what is held of them'],
  writethrough_verify_differences: ['gauge', 'rows that the newest verification of a connector found to be otherwise'],
  writethrough_verify_repaired_total: ['counter', 'rows that verifications have read again'],
  writethrough_verify_skipped_tables: ['gauge', 'tables that the newest verification of a connector could not compare'],
  writethrough_verify_seconds: ['gauge', 'how long the newest verification of a connector took'],
  writethrough_verify_failed: ['gauge', '1 when the newest verification of a connector could not be ended'],
  writethrough_verify_timestamp_seconds: ['gauge', 'when the newest verification of a connector came to its end'],
  writethrough_source_lag_seconds: [
    'gauge',
    'how old the tables of a connector may be, paused ones too; 0 while its source is known to have nothing newer',
  ],
  writethrough_table_lag_seconds: [
    'gauge',
    'how old the rows of a table may be, whatever the reason; 0 while its sources are known to have nothing newer',
  ],
  writethrough_engine_commits_total: ['counter', 'store commits of the engine'],
  writethrough_engine_commit_seconds: ['histogram', 'time from begin to the end of a store commit'],
  writethrough_engine_appends_total: ['counter', 'appends applied'],
  writethrough_engine_records_total: ['counter', 'records applied'],
  writethrough_records_skipped_total: [
    'counter',
    'records of a stream or table that were left out because their TIMESTAMP column gives no time; again when they are replayed',
  ],
  writethrough_outbox_entries: ['gauge', 'groups of derived records that wait to be written to Kafka'],
  writethrough_outbox_bytes: ['gauge', 'bytes of derived records that wait to be written to Kafka'],
  writethrough_outbox_age_seconds: ['gauge', 'how long the oldest of them has waited; 0: none waits'],
  writethrough_housekeeping_seconds_total: ['counter', 'time that the engine spent on upkeep, by chore'],
  writethrough_housekeeping_debt_ratio: ['gauge', 'how far a chore is over its limit, as a part of the limit'],
  writethrough_feed_bytes: ['gauge', 'bytes of changes that are kept for subscribers'],
  writethrough_topic_bytes: ['gauge', 'bytes of a topic of the embedded log'],
  writethrough_corrupt_data_total: ['counter', 'reads of the data file that met something other than what was written'],
  writethrough_log_bytes: ['gauge', 'bytes of the data file: log, tables and change feed'],
  writethrough_wal_bytes: ['gauge', 'bytes of the write-ahead log'],
  writethrough_connector_running: ['gauge', '1 while a connector takes its snapshot or streams, else 0'],
  writethrough_snapshot_tables_left: ['gauge', 'tables that a connector is still to read, for the first time or again'],
  writethrough_snapshot_rows: ['gauge', 'rows that were read of a table, for the first time or again'],
  writethrough_snapshot_rows_estimated: ['gauge', 'rows of a table that is being read, as the source estimates them'],
  writethrough_snapshot_rows_per_second: ['gauge', 'how fast a table is being read'],
  writethrough_snapshot_seconds_left: ['gauge', 'how long the reading of a table takes yet, by the estimate'],
  writethrough_tables_stopped: ['gauge', 'tables of a connector that stand still alone'],
  writethrough_query_running: ['gauge', '1 while a query follows its sources, else 0'],
  writethrough_table_rows: ['gauge', 'rows of a table'],
  writethrough_subscribers: ['gauge', 'open subscriptions: change streams and push queries'],
  writethrough_subscriber_dropped_total: [
    'counter',
    'answers and streams cut off because their client took nothing, or others needed the room',
  ],
  writethrough_pull_seconds: ['histogram', 'time to answer a read, by route'],
  writethrough_http_requests_total: ['counter', 'HTTP requests by route and status'],
  writethrough_rebuild_progress_ratio: ['gauge', 'part of the log that a running rebuild has read, 0 to 1'],
  writethrough_build_info: ['gauge', 'always 1; version in the labels'],
} as const satisfies Record<string, readonly ['counter' | 'gauge' | 'histogram', string]>;
export type MetricName = keyof typeof metricDefinitions;

interface Series {
  name: MetricName;
  labels: Labels;
  value: number;
  sum: number;
  counts: number[] | undefined;
}

export function createMetrics(): Metrics {
  const all = new Map<string, Series>();
  function series(name: MetricName, labels: Labels = {}): Series {
    const id = name + JSON.stringify(labels);
    let found = all.get(id);
    if (!found) {
      const histogram = metricDefinitions[name][0] === 'histogram';
      found = { name, labels, value: 0, sum: 0, counts: histogram ? secondsBuckets.map(() => 0) : undefined };
      all.set(id, found);
    }
    return found;
  }
  return {
    count(name, by = 1, labels) {
      series(name, labels).value += by;
    },
    gauge(name, value, labels) {
      series(name, labels).value = value;
    },
    observe(name, value, labels) {
      const at = series(name, labels);
      at.value++;
      at.sum += value;
      secondsBuckets.forEach((le, i) => {
        if (value <= le) at.counts![i]!++;
      });
    },
    samples() {
      return [...all.values()].map(({ name, labels, value, sum, counts }) => {
        const [type, help] = metricDefinitions[name];
        const base = { name, type, help, labels, value };
        return counts ? { ...base, sum, buckets: counts.map((count, i) => ({ le: secondsBuckets[i]!, count })) } : base;
      });
    },
  };
}
