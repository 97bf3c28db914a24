// Counts how often each source was connected again after its connection was lost: a connector told that it waits, or its thread
// broke, and then it streams or takes its snapshot. Lives as long as the process; a pause and a resume are no reconnect.
import type { ConnectorTask } from './herder-env.js';
import type { Metrics } from '../core/metrics.js';
import type { SourceState } from '../source/source-connector.js';

export class Reconnects {
  readonly #metrics: Metrics;
  readonly #lost = new Set<string>();
  readonly #connected = new Set<string>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** What a connector tells of itself. */
  state(connector: string, { phase }: SourceState): void {
    if (phase === 'waiting' && this.#connected.has(connector)) this.#lost.add(connector);
    if (phase !== 'snapshot' && phase !== 'streaming') return;
    this.#connected.add(connector);
    if (this.#lost.delete(connector)) this.#metrics.count('writethrough_capture_reconnects_total', 1, { connector });
  }

  /** A task that ends with an error has lost its connection as well. */
  watch(connector: string, task: ConnectorTask): ConnectorTask {
    task.done.catch(() => this.#connected.has(connector) && this.#lost.add(connector));
    return task;
  }
}
