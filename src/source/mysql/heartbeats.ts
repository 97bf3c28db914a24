// Records that tell, every so often, that the source is read, also while nothing comes. Each is an append of its own with the position
// that was reached, between transactions.
import type { ChunkBuilder } from '../../core/row-encoder.js';
import type { SideRecords } from '../source-connector.js';
import type { TransactionReader } from './transaction-reader.js';
import type { Wakeup } from './wakeup.js';

export class Heartbeats {
  readonly #write: () => void;
  readonly #timer: NodeJS.Timeout;
  #due = false;

  constructor({ intervalMs, write }: NonNullable<SideRecords['heartbeat']>, wakeup: Wakeup) {
    this.#write = write;
    this.#timer = setInterval(() => {
      this.#due = true;
      wakeup.notify();
    }, intervalMs);
  }

  /** Writes one if it is time, and the reader is between transactions. */
  step(reader: TransactionReader, chunks: ChunkBuilder, nowUs: () => number): void {
    if (!this.#due || reader.inGroup) return;
    this.#due = false;
    this.#write();
    chunks.endAppend({ position: reader.positionText, commitTimeUs: nowUs() });
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
