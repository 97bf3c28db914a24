// Tells of records and results that are left out because they have no timestamp (ksqlDB's processing log): a counter for each stream and
// table, and a line in the log at the first and then at most every ten seconds, so that a topic full of them does not fill it.
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import { nameKey } from '../core/names.js';

const lineEveryMs = 10_000;

export class SkippedRecords {
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #told = new Map<string, { atMs: number; since: number }>();

  constructor(metrics: Metrics, logger: Logger, nowMs: () => number) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  add(source: string, reason: string): void {
    this.#metrics.count('writethrough_records_skipped_total', 1, { source });
    const now = this.#nowMs();
    const told = this.#told.get(nameKey(source));
    if (told && now - told.atMs < lineEveryMs) {
      told.since++;
      return;
    }
    const since = told?.since ?? 0;
    this.#told.set(nameKey(source), { atMs: now, since: 0 });
    this.#logger.warn('a record is left out', { source, reason, ...(since > 0 ? { more: since } : {}) });
  }
}
