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
  /** Newest records of topics whose query stands still, by its id and where it stands. */
  readonly #ends = new Map<string, number | undefined>();

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
    const topics = new Set((await process.api.topics()).map(({ name }) => name));
    for (const { id, sink, state } of queries) {
      if (state.kind !== 'failed' || !topics.has(sink)) continue;
      const end = (await process.api.readTopic(sink, 0, 0, 1_000_000)).at(-1)?.offset;
      const key = `${id}@${state.atSeq}`;
      const before = this.#ends.get(key);
      if (this.#ends.has(key) && before !== end)
        this.#breach(
          `the newest record of the topic of ${sink} was ${before} and is ${end}, and ${id} has failed at ${state.atSeq}`,
        );
      this.#ends.set(key, end);
    }
  }
}

function documents<T>(session: ReadSession, kind: string): readonly T[] {
  return session.documents(kind).map(({ json }) => JSON.parse(json) as T);
}
