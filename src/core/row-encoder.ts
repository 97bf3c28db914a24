// How a source hands rows over without making objects of them. The source walks its own row image (a binlog event, a text
// result row, an SQLite row) and calls the writer once per column, in the order of the table's columns; the writer writes the
// encoded record (JSON, Avro, ...) into the chunk under construction. `connect` compiles a RowEncoder per table from schema,
// format, shape and key, and the source never knows the format. Implemented in schema/formats.
import type { ChangeOrigin } from './change-origin.js';
import type { DataType, Value } from './data-type.js';
import type { Op } from './record.js';
import type { Chunk } from './append.js';
import type { NewEnd } from './chunk-ends.js';

/** A column of a captured table. */
export interface SourceColumn {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  /** The source's own type text, for messages and DESCRIBE. */
  readonly sourceType: string;
  /** What schemas in records say of it beyond its type, where there is more. */
  readonly semanticType?: SemanticType | undefined;
}

/** By Debezium's names for them; `labels` in their order. */
export type SemanticType =
  | { readonly kind: 'int16' | 'float' | 'year' | 'json' }
  | { readonly kind: 'bits'; readonly length: number }
  | { readonly kind: 'enum' | 'set'; readonly labels: readonly string[] };

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
  /** ARRAY, MAP and STRUCT, and any other type from memory (cold paths). */
  value(value: Value): void;
}

/**
 * What is wanted of the row before its change. `key`: its key columns, in key order. `of-deletes`: of a delete all columns; a changed key
 * is then a delete and a row, not an old image. `whole`: all columns, of updates, too.
 */
export type OldRow = 'key' | 'of-deletes' | 'whole';

/** Writes the records of one table into chunks. Calls: `begin`, columns on the writer it returns, `end`. */
export interface RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  /** Insert or snapshot row: all columns follow on the writer, then `endRow`. */
  beginRow(op: Op): ValueWriter;
  endRow(): void;
  /**
   * Update: first the old image (`beginOld`, what `oldRow` asks for, `endOld`), then the new row by `beginRow('u')`. When the key bytes
   * differ, endRow writes the delete of the old key before the new row. A source that knows the key to be unchanged leaves an old image
   * out of which only the key is wanted.
   */
  beginOld(): ValueWriter;
  endOld(): void;
  /** Delete: the old image follows, as `oldRow` asks for it; then `endDelete` writes the tombstone (and what the shape has before it). */
  beginDelete(): ValueWriter;
  endDelete(): void;
  readonly oldRow: OldRow;
  /** Writes the records of rows that are as the records have them, where those have other columns than the table: itself where not. */
  readonly held: RowEncoder;
}

/** Opaque. */
export interface ChunkMark {
  readonly generation: number;
  readonly count: number;
  readonly bytes: number;
}

/** Collects the records of all encoders of a source into chunks. One per source task. */
export interface ChunkBuilder {
  /** Of the rows that are encoded now. */
  readonly origin: ChangeOrigin;
  /** Bytes in the chunk under construction. */
  readonly byteLength: number;
  readonly recordCount: number;
  /** Nothing would be taken: neither a record nor the end of an append. */
  readonly isEmpty: boolean;
  /** Ends the current append. */
  endAppend(end: NewEnd): void;
  /** Ends behind the last one with a position; before the chunk is taken, `placeLast` gives the last of them one. */
  readonly unplaced: number;
  placeLast(position: string): void;
  /** The place behind the newest record, to go back to. */
  mark(): ChunkMark;
  /** Forgets the records of the open append behind a mark. False, and nothing is done: some of them are handed over. */
  rewind(mark: ChunkMark): boolean;
  /** Forgets the records of one topic behind the last end; marks from before are of no use then. False, and nothing is done: some are handed over. */
  dropOpen(topic: string): boolean;
  /** Forgets the records behind the last end (a rolled-back transaction whose records are all still here). */
  discardOpenAppend(): void;
  /** Takes the chunk; the builder goes on with a new buffer. Null when it is empty. */
  take(): Chunk | null;
}
