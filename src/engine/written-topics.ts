// Which topics the log has records of, up to the append in hand: what a definition over a topic needs to know, alike on every process.
// Kept as a document per topic, so that it is exact however often the process starts; an older data folder knows only what came since.
import type { Append } from '../core/append.js';
import type { StateWriter } from '../store/state-store.js';
import { isImport } from '../stream/import-name.js';

const kind = 'written-topic';
const importedKind = 'imported-topic';
/** Topics that definitions have made. */
const madeKind = 'made-topic';
/** No topic's name: there when the folder has followed the log from its first append. */
const complete = '*';

export class WrittenTopics {
  readonly #state: StateWriter;
  #topics = new Set<string>();
  /** Others have written what the log has of them. */
  #imported = new Set<string>();

  constructor(state: StateWriter) {
    this.#state = state;
    if (state.frontier.seq === 0) state.transaction(() => state.putDocument(kind, complete, '{}'));
    this.reload();
  }

  /** At start and after a rollback. */
  reload(): void {
    const names = (of: string) => new Set(this.#state.documents(of).map(({ name }) => name));
    this.#topics = names(kind);
    this.#imported = names(importedKind);
  }

  /** The folder has followed the log from its first append. */
  get complete(): boolean {
    return this.#topics.has(complete);
  }

  /** It has a record in the log, or was made by a definition. */
  isOwn(topic: string): boolean {
    return this.#topics.has(topic) || this.#state.getDocument(madeKind, topic) !== undefined;
  }

  /** In the open transaction. */
  noteMade(topic: string): void {
    this.#state.putDocument(madeKind, topic, '{}');
  }

  isEmpty(topic: string): boolean {
    return this.#topics.has(complete) && !this.#topics.has(topic) && !this.#imported.has(topic);
  }

  /** In the open transaction: it is made anew, and what the log had of an earlier one of its name is gone. */
  forget(topic: string): void {
    if (this.#topics.delete(topic)) this.#state.deleteDocument(kind, topic);
    if (this.#imported.delete(topic)) this.#state.deleteDocument(importedKind, topic);
  }

  /** In the open transaction. */
  note({ records, producer }: Append): void {
    if (records.count === 0) return;
    const imported = isImport(producer);
    const known = imported ? this.#imported : this.#topics;
    for (const topic of records.topics) {
      if (known.has(topic)) continue;
      known.add(topic);
      this.#state.putDocument(imported ? importedKind : kind, topic, '{}');
    }
  }
}
