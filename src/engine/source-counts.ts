// What the engine has taken from each source, counted as appends are committed: a number each per append, without building label
// texts. Counters of this process: a new one starts at nothing.
import { metricDefinitions, type MetricSample } from '../core/metrics.js';
import type { Append } from '../core/append.js';

interface Count {
  transactions: number;
  records: number;
}

export class SourceCounts {
  readonly #byProducer = new Map<string, Count>();

  /** Committed appends. Those without records only move a position, and are no transactions of anything captured. */
  add(appends: readonly Append[]): void {
    for (const { producer, records } of appends) {
      if (records.count === 0) continue;
      let count = this.#byProducer.get(producer);
      if (!count) this.#byProducer.set(producer, (count = { transactions: 0, records: 0 }));
      count.transactions++;
      count.records += records.count;
    }
  }

  /** `connectorOf`: undefined for a producer that is no connector's. */
  samples(connectorOf: (producer: string) => string | undefined): MetricSample[] {
    const samples: MetricSample[] = [];
    for (const [producer, { transactions, records }] of this.#byProducer) {
      const connector = connectorOf(producer);
      if (connector === undefined) continue;
      const counter = (name: 'writethrough_events_total' | 'writethrough_transactions_total', value: number) =>
        samples.push({ name, type: 'counter', help: metricDefinitions[name][1], labels: { connector }, value });
      counter('writethrough_events_total', records);
      counter('writethrough_transactions_total', transactions);
    }
    return samples;
  }
}
