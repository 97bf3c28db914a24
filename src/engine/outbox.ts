// Records that queries derived, on their way to Kafka: kept in the store with the commit that made them, sent behind it, dropped when
// they are durable there. The number of an entry rises with each; the sink producer's position is the number of the last one that is
// out, so after a crash exactly the rest is sent.
import { failpoint } from '../core/failpoint.js';
import { RecordSet } from '../core/record.js';
import type { DerivedGroup } from '../projector/sink-topics.js';
import type { StateWriter } from '../store/state-store.js';

const kind = 'outbox';

interface StoredEntry {
  readonly commitTimeUs: number;
  readonly topics: readonly string[];
  readonly count: number;
  /** base64 */
  readonly data: string;
  readonly extents: string;
  readonly timestamps: string;
}

/** Takes entries in order; what it has told to be durable may be dropped. */
export interface OutboxTarget {
  readonly position: number;
  write(derived: { readonly seq: number; readonly commitTimeUs: number; readonly records: RecordSet }): Promise<void>;
  onDurable(listener: (number: number) => void): void;
}

export class Outbox {
  readonly #state: StateWriter;
  readonly #target: OutboxTarget;
  readonly #onError: (error: unknown) => void;
  #next: number;
  /** Newest number that is committed in the store, taken by the target, durable there, dropped here. */
  #committed: number;
  #sent: number;
  #durable: number;
  #dropped: number;
  #sending = false;

  constructor(state: StateWriter, target: OutboxTarget, onError: (error: unknown) => void) {
    this.#state = state;
    this.#target = target;
    this.#onError = onError;
    const numbers = state.documents(kind).map(({ name }) => Number(name));
    this.#committed = Math.max(target.position, ...numbers);
    this.#next = this.#committed + 1;
    this.#sent = target.position;
    this.#durable = target.position;
    this.#dropped = Math.min(target.position, ...numbers.map((number) => number - 1));
    target.onDurable((number) => {
      this.#durable = number;
    });
  }

  /** In the open transaction. */
  add(groups: readonly DerivedGroup[]): void {
    for (const { commitTimeUs, records } of groups) {
      const entry: StoredEntry = {
        commitTimeUs,
        topics: records.topics,
        count: records.count,
        data: records.buffers[0]!.toString('base64'),
        extents: bytesOf(records.extents).toString('base64'),
        timestamps: bytesOf(records.timestamps!).toString('base64'),
      };
      this.#state.putDocument(kind, nameOf(this.#next++), JSON.stringify(entry));
    }
  }

  /** The transaction is committed. */
  committed(): void {
    if (this.#next - 1 === this.#committed) return;
    this.#committed = this.#next - 1;
    this.send();
  }

  rolledBack(): void {
    this.#next = this.#committed + 1;
  }

  /** Sends what is not sent yet; the rest of the engine goes on meanwhile. */
  send(): void {
    if (this.#sending) return;
    this.#sending = true;
    this.#sendAll()
      .catch(this.#onError)
      .finally(() => {
        this.#sending = false;
      });
  }

  async #sendAll(): Promise<void> {
    while (this.#sent < this.#committed) {
      const number = this.#sent + 1;
      const json = this.#state.getDocument(kind, nameOf(number));
      failpoint('outbox-before-produce');
      // A number without an entry: it was out before the last start.
      if (json !== undefined) await this.#target.write({ seq: number, ...decode(JSON.parse(json) as StoredEntry) });
      failpoint('outbox-after-produce');
      this.#sent = number;
    }
  }

  /** Drops what is out, in a transaction of its own; true when there was something. */
  drop(): boolean {
    if (this.#dropped >= this.#durable) return false;
    const upTo = Math.min(this.#durable, this.#dropped + 1000);
    this.#state.transaction(() => {
      for (let number = this.#dropped + 1; number <= upTo; number++) this.#state.deleteDocument(kind, nameOf(number));
    });
    this.#dropped = upTo;
    return true;
  }
}

/** Sorts as the numbers do. */
function nameOf(number: number): string {
  return String(number).padStart(16, '0');
}

function decode({ commitTimeUs, topics, count, data, extents, timestamps }: StoredEntry) {
  const own = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
  const records = new RecordSet({
    buffers: [Buffer.from(data, 'base64')],
    topics,
    count,
    extents: new Int32Array(own(extents)),
    timestamps: new Float64Array(own(timestamps)),
  });
  return { commitTimeUs, records };
}

function bytesOf(array: Int32Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
