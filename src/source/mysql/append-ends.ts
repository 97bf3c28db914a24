// Ends the appends of the stream, each with its position: also those of transactions that touch nothing captured, now and then, so that
// whoever waits for one of them gets an answer. Small transactions come by the thousand, so a position is printed for some of them
// together; a set that names many servers is long each time, then it is for more of them.
import { endsPerPosition, endsPerPositionMax, toldPositionLengthMax } from '../../core/append.js';
import type { ChunkBuilder } from '../../core/row-encoder.js';
import type { TransactionId } from '../../core/transaction-id.js';

export class AppendEnds {
  readonly #chunks: ChunkBuilder;
  readonly #print: () => string;
  /** The position has moved behind the last end. */
  #moved = false;
  /** As it was when it was printed last. */
  #isLong = false;
  #transaction: TransactionId | undefined;
  #commitTimeUs = 0;

  constructor(chunks: ChunkBuilder, print: () => string) {
    this.#chunks = chunks;
    this.#print = print;
  }

  get positionText(): string {
    const text = this.#print();
    this.#isLong = text.length > toldPositionLengthMax;
    return text;
  }

  /** A transaction is behind us. */
  passed(transaction: TransactionId | undefined, commitTimeUs: number): void {
    this.#transaction = transaction;
    this.#commitTimeUs = commitTimeUs;
    this.#moved = true;
  }

  /** The place has moved without one: behind the end of a file. */
  moved(): void {
    this.#moved = this.#commitTimeUs > 0;
  }

  /** `taken`: a part of the append has been handed over. */
  end(taken: boolean): void {
    this.#moved = false;
    const together = this.#isLong ? endsPerPositionMax : endsPerPosition;
    const later = !taken && this.#chunks.unplaced < together - 1;
    this.#chunks.endAppend({
      position: later ? null : this.positionText,
      commitTimeUs: this.#commitTimeUs,
      transaction: this.#transaction,
    });
  }

  /** An append without records where nothing else carries the position. */
  endMoved(): void {
    if (this.#moved) this.end(false);
  }

  /** Just before the chunk is taken. */
  placeLast(): void {
    if (this.#chunks.unplaced > 0) this.#chunks.placeLast(this.positionText);
  }
}
