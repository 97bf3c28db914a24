// How a source hands rows over without making objects of them. The source walks its own row image (a binlog event, a text
// result row, an SQLite row) and calls the writer once per column, in the order of the table's columns; the writer writes the
// encoded record (JSON, Avro, ...) into the chunk under construction. `connect` compiles a RowEncoder per table from schema,
// format, shape and key, and the source never knows the format. Implemented in schema/formats.
import type { DataType } from './data-type.js';
import type { Op } from './record.js';
import type { AppendEnd, Chunk } from './append.js';

/** A column of a captured table. */
export interface SourceColumn {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  /** The source's own type text, for messages and DESCRIBE. */
  readonly sourceType: string;
}

/** A captured table as the source describes it. */
export interface SourceTable {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly SourceColumn[];
  /** Indexes into `columns`, in key order; never empty. */
  readonly keyColumns: readonly number[];
}

/** One call per column, in order. The call must fit the column's type (asserted only in tests: this is the hottest path). */
export interface ValueWriter {
  null(): void;
  /** BOOLEAN */
  boolean(value: boolean): void;
  /** INTEGER, BIGINT within 2^53, DATE in days. */
  integer(value: number): void;
  /** BIGINT in two halves, without making a bigint: value = high * 2^32 + low, low unsigned, high signed. */
  int64(high: number, low: number): void;
  /** DOUBLE; `text` for a FLOAT's shortest form is the caller's business (Math.fround aware). */
  double(value: number): void;
  /** DECIMAL from its canonical text, ASCII `-?digits(.digits)?` with exactly the column's scale. */
  decimal(source: Buffer, start: number, end: number): void;
  /** STRING from UTF-8 bytes. */
  utf8(source: Buffer, start: number, end: number): void;
  /** STRING from a JavaScript string (cold paths). */
  string(value: string): void;
  /** BYTES */
  bytes(source: Buffer, start: number, end: number): void;
  /** TIME and TIMESTAMP: µs; beyond 2^53 as high * 2^32 + low like int64. */
  micros(value: number): void;
  microsWide(high: number, low: number): void;
}

/** Writes the records of one table into chunks. Calls: `begin`, columns on the writer it returns, `end`. */
export interface RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  /** Insert or snapshot row: all columns follow on the writer, then `endRow`. */
  beginRow(op: Op): ValueWriter;
  endRow(): void;
  /**
   * Update: first the key columns of the old image (`beginOldKey`, key columns in key order, `endOldKey`), then the new row by
   * `beginRow('u')`. When the key bytes differ, endRow writes a tombstone of the old key before the new row. A source that
   * knows the key to be unchanged leaves the old key out.
   */
  beginOldKey(): ValueWriter;
  endOldKey(): void;
  /** Delete: the key columns follow in key order; then `endDelete` writes the tombstone (and what the shape has before it). */
  beginDelete(): ValueWriter;
  endDelete(): void;
  /** With shapes that keep the last row of a delete (`__deleted`, envelopes): all columns are wanted instead of the key. */
  readonly wantsOldRow: boolean;
}

/** Collects the records of all encoders of a source into chunks. One per source task. */
export interface ChunkBuilder {
  /** Bytes in the chunk under construction. */
  readonly byteLength: number;
  readonly recordCount: number;
  /** Ends the current append. */
  endAppend(end: Omit<AppendEnd, 'recordEnd'>): void;
  /** Ends behind the last one with a position; before the chunk is taken, `placeLast` gives the last of them one. */
  readonly unplaced: number;
  placeLast(position: string): void;
  /** Forgets the records behind the last end (a rolled-back transaction whose records are all still here). */
  discardOpenAppend(): void;
  /** Takes the chunk; the builder goes on with a new buffer. Null when it is empty. */
  take(): Chunk | null;
}
