// What stands still, stands still: nothing is built for a query that has failed, and its topic does not grow.
import type { ReadSession } from '../../src/store/state-store.js';
import type { SimulatedProcess } from './process.js';

interface QueryDocument {
  readonly id: string;
  readonly sink: string;
  readonly state: { readonly kind: string; readonly atSeq?: number };
}

interface BuildDocument {
  readonly table: string;
  readonly purpose: 'create' | 'rebuild';
  readonly startedMs: number;
}

export class Standing {
  readonly #breach: (text: string) => void;
  /** When the log said that it stands still, by the query's id. */
  readonly #stoppedMs = new Map<string, number>();
  /** Ends of topics whose query stands still, by its id and where it stands. */
  readonly #ends = new Map<string, number>();

  constructor(breach: (text: string) => void) {
    this.#breach = breach;
  }

  /** The log line of a part that failed. */
  failed(stopped: readonly string[], nowMs: number): void {
    for (const id of stopped) this.#stoppedMs.set(id, nowMs);
  }

  checkCut(session: ReadSession): void {
    const queries = documents<QueryDocument>(session, 'query');
    for (const { table, purpose, startedMs } of documents<BuildDocument>(session, 'build')) {
      const query = queries.find(({ sink }) => sink === table);
      if (query?.state.kind !== 'failed') continue;
      if (purpose === 'create') this.#breach(`${table} is being filled, and its query ${query.id} has failed`);
      else if (startedMs < (this.#stoppedMs.get(query.id) ?? 0))
        this.#breach(`the rebuild of ${table} goes on although its query ${query.id} has failed since`);
    }
  }

  async checkTopics(process: SimulatedProcess): Promise<void> {
    const queries = process.session((session) => documents<QueryDocument>(session, 'query'));
    const topics = await process.api.topics();
    for (const { id, sink, state } of queries) {
      const end = topics.find(({ name }) => name === sink)?.offsets[0]?.next;
      if (state.kind !== 'failed' || end === undefined) continue;
      const key = `${id}@${state.atSeq}`;
      const before = this.#ends.get(key);
      if (before !== undefined && before !== end)
        this.#breach(`the topic of ${sink} has grown from ${before} to ${end}, and ${id} has failed at ${state.atSeq}`);
      this.#ends.set(key, end);
    }
  }
}

function documents<T>(session: ReadSession, kind: string): readonly T[] {
  return session.documents(kind).map(({ json }) => JSON.parse(json) as T);
}
