// The ends of the appends in a chunk, side by side. They wait as long as their chunk does, on the source's thread and on the engine's, and
// an object and some texts for each, thousands at a time, would outlive the collector's young generation.
import type { AppendControl } from './append-control.js';
import { TransactionId } from './transaction-id.js';

/** The end of an append inside a chunk: a whole source transaction, a snapshot chunk, or only a moved position. */
export interface AppendEnd {
  /** Number of records of this chunk that come before this end. */
  readonly recordEnd: number;
  /**
   * The producer's position after this append: opaque text of the source; stored with the append, atomically. Null: the append becomes
   * durable together with the next one that has a position, never without it. The last end of a chunk has one, and so has the end of an
   * append that began in an earlier chunk.
   */
  readonly position: string | null;
  /** µs since the epoch at which the source committed; for snapshot chunks the time of reading. */
  readonly commitTimeUs: number;
  /** The transaction's own id for record headers and position waits (a GTID), where the source has one. */
  readonly transactionId?: string | undefined;
  readonly control?: AppendControl | undefined;
}

/** As a source ends an append. */
export interface NewEnd extends Pick<AppendEnd, 'position' | 'commitTimeUs' | 'control'> {
  readonly transaction?: TransactionId | undefined;
}

/** As they cross threads. Each array has an entry per end where nothing else is said. */
export interface EndColumns {
  readonly recordEnds: Int32Array<ArrayBuffer>;
  readonly commitTimesUs: Float64Array<ArrayBuffer>;
  /** Index into `positions`; -1: none. */
  readonly positionOf: Int32Array<ArrayBuffer>;
  readonly positions: readonly string[];
  /** A transaction's id: which of `idHeads` (-1: it has none), and the number behind it (-1: none). */
  readonly idHeadOf: Int32Array<ArrayBuffer>;
  readonly idNumbers: Float64Array<ArrayBuffer>;
  readonly idHeads: readonly string[];
  /** By end; undefined: no end has any. */
  readonly controls: ReadonlyMap<number, AppendControl> | undefined;
}

export class ChunkEnds implements Iterable<AppendEnd> {
  readonly columns: EndColumns;

  constructor(columns: EndColumns) {
    this.columns = columns;
  }

  static of(ends: Iterable<AppendEnd>): ChunkEnds {
    const builder = new ChunkEndsBuilder();
    for (const { recordEnd, transactionId, ...end } of ends)
      builder.add(recordEnd, {
        ...end,
        transaction: transactionId === undefined ? undefined : TransactionId.of(transactionId),
      });
    return builder.take();
  }

  get length(): number {
    return this.columns.recordEnds.length;
  }

  recordEnd(i: number): number {
    return this.columns.recordEnds[i]!;
  }

  commitTimeUs(i: number): number {
    return this.columns.commitTimesUs[i]!;
  }

  position(i: number): string | null {
    const at = this.columns.positionOf[i]!;
    return at < 0 ? null : this.columns.positions[at]!;
  }

  transaction(i: number): TransactionId | undefined {
    const head = this.columns.idHeadOf[i]!;
    return head < 0 ? undefined : new TransactionId(this.columns.idHeads[head]!, this.columns.idNumbers[i]!);
  }

  control(i: number): AppendControl | undefined {
    return this.columns.controls?.get(i);
  }

  at(i: number): AppendEnd {
    const [transactionId, control] = [this.transaction(i)?.text, this.control(i)];
    return {
      recordEnd: this.recordEnd(i),
      position: this.position(i),
      commitTimeUs: this.commitTimeUs(i),
      ...(transactionId !== undefined && { transactionId }),
      ...(control !== undefined && { control }),
    };
  }

  *[Symbol.iterator](): Generator<AppendEnd, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

/** Used again for one chunk after the other. */
export class ChunkEndsBuilder {
  #length = 0;
  #recordEnds = new Int32Array(64);
  #commitTimesUs = new Float64Array(64);
  #positionOf = new Int32Array(64);
  #positions: string[] = [];
  #idHeadOf = new Int32Array(64);
  #idNumbers = new Float64Array(64);
  #idHeads: string[] = [];
  #controls: Map<number, AppendControl> | undefined;

  get length(): number {
    return this.#length;
  }

  /** Records in front of the last end. */
  get recordEnd(): number {
    return this.#length === 0 ? 0 : this.#recordEnds[this.#length - 1]!;
  }

  add(recordEnd: number, { position, commitTimeUs, transaction, control }: NewEnd): void {
    const i = this.#length++;
    if (i === this.#recordEnds.length) this.#grow(i * 2);
    this.#recordEnds[i] = recordEnd;
    this.#commitTimesUs[i] = commitTimeUs;
    this.#positionOf[i] = position === null ? -1 : this.#positions.push(position) - 1;
    if (transaction === undefined) this.#idHeadOf[i] = -1;
    else this.#addId(i, transaction);
    if (control !== undefined) (this.#controls ??= new Map()).set(i, control);
  }

  /** The last end gets a position. */
  placeLast(position: string): void {
    this.#positionOf[this.#length - 1] = this.#positions.push(position) - 1;
  }

  take(): ChunkEnds {
    const length = this.#length;
    const ends = new ChunkEnds({
      recordEnds: this.#recordEnds.slice(0, length),
      commitTimesUs: this.#commitTimesUs.slice(0, length),
      positionOf: this.#positionOf.slice(0, length),
      positions: this.#positions,
      idHeadOf: this.#idHeadOf.slice(0, length),
      idNumbers: this.#idNumbers.slice(0, length),
      idHeads: this.#idHeads,
      controls: this.#controls,
    });
    this.#length = 0;
    this.#positions = [];
    this.#idHeads = [];
    this.#controls = undefined;
    return ends;
  }

  #addId(i: number, { head, number }: TransactionId): void {
    const heads = this.#idHeads;
    const last = heads.length - 1;
    // Mostly the one before of the same source, counted on.
    let at = last >= 0 && head === heads[last] ? last : heads.indexOf(head);
    if (at < 0) at = heads.push(head) - 1;
    this.#idHeadOf[i] = at;
    this.#idNumbers[i] = number;
  }

  #grow(length: number): void {
    this.#recordEnds = grown(this.#recordEnds, new Int32Array(length));
    this.#commitTimesUs = grown(this.#commitTimesUs, new Float64Array(length));
    this.#positionOf = grown(this.#positionOf, new Int32Array(length));
    this.#idHeadOf = grown(this.#idHeadOf, new Int32Array(length));
    this.#idNumbers = grown(this.#idNumbers, new Float64Array(length));
  }
}

function grown<Column extends Int32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
