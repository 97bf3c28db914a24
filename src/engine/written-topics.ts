// Which topics the log has records of, up to the append in hand: what a definition over a topic needs to know, alike on every process.
// Kept as a document per topic, so that it is exact however often the process starts; an older data folder knows only what came since.
import type { Append } from '../core/record.js';
import type { StateWriter } from '../store/state-store.js';

const kind = 'written-topic';
/** No topic's name: there when the folder has followed the log from its first append. */
const complete = '*';

export class WrittenTopics {
  readonly #state: StateWriter;
  #topics = new Set<string>();

  constructor(state: StateWriter) {
    this.#state = state;
    if (state.frontier.seq === 0) state.transaction(() => state.putDocument(kind, complete, '{}'));
    this.reload();
  }

  /** At start and after a rollback. */
  reload(): void {
    this.#topics = new Set(this.#state.documents(kind).map(({ name }) => name));
  }

  isEmpty(topic: string): boolean {
    return this.#topics.has(complete) && !this.#topics.has(topic);
  }

  /** In the open transaction. */
  note({ records }: Append): void {
    if (records.count === 0) return;
    for (const topic of records.topics) {
      if (this.#topics.has(topic)) continue;
      this.#topics.add(topic);
      this.#state.putDocument(kind, topic, '{}');
    }
  }
}
