// A stream or table over a topic: records in, row changes out. Keys and values are decoded by the formats of its definition;
// a tombstone deletes, a value upserts. A record that does not decode fails the node (policy `fail`), never becomes NULLs.
import { AppError, assert } from '../core/errors.js';
import type { Row, RowSchema, Value } from '../core/data-type.js';
import { emptyRange, type ByteRange, type Records } from '../core/record.js';
import type { SourceEntry } from '../catalog/catalog.js';
import type { ApplyContext } from './apply-context.js';
import { rowTimestamp, type RowTimestamp } from './row-timestamp.js';
import type { ChangeListener, TableNode } from './table-node.js';

/** Decodes one record; made from the formats of the definition. */
export interface RecordDecoder {
  /** Fills the key columns of a row in column order; null: the record has no key. */
  key(key: ByteRange | null): Row;
  /** The whole row in column order: value columns from the value, key columns from `key`; null when the row says it is deleted. */
  row(key: Row, value: ByteRange): Row | null;
}

export interface SourceNodeEnv {
  readonly decoder: RecordDecoder;
  /** Of the append of a record that is read again: its decoder; undefined: no row of it is left. */
  readonly decoderAt: (seq: number) => RecordDecoder | undefined;
  readonly context: ApplyContext;
  /** A record was left out. */
  readonly onSkipped: (name: string, reason: string) => void;
}

export class SourceNode {
  readonly name: string;
  readonly topic: string;
  /** Place in creation order. */
  readonly order: number;
  /** Undefined for a stream. */
  readonly table: TableNode | undefined;
  /** Readers of a stream's facts; a table's readers hang on the table. */
  readonly listeners: ChangeListener[] = [];
  /** The table that it builds anew, beside the node at work; undefined: it is at work. */
  build: string | undefined;
  readonly #env: SourceNodeEnv;
  #decoder: RecordDecoder | undefined;
  readonly #schema: RowSchema;
  /** What gives ROWTIME; undefined: the record's own time. */
  readonly #timestamp: RowTimestamp | undefined;
  readonly #failsWithoutTimestamp: boolean;
  readonly #keyRange = emptyRange();
  readonly #valueRange = emptyRange();

  constructor(entry: SourceEntry, env: SourceNodeEnv, table: TableNode | undefined) {
    assert(
      (entry.sourceKind === 'table') === (table !== undefined),
      `${entry.name}: a table has a node, a stream none`,
    );
    this.name = entry.name;
    this.topic = entry.properties.topic;
    this.order = entry.order ?? 0;
    this.table = table;
    this.#env = env;
    this.#decoder = env.decoder;
    this.#schema = entry.schema;
    this.#timestamp = rowTimestamp(entry);
    this.#failsWithoutTimestamp = entry.invalidTimestamp === 'fail';
  }

  /** What comes now was in the append with this seq, when its records may have had other columns. */
  replayFrom(seq: number): void {
    this.#decoder = this.#env.decoderAt(seq);
  }

  /** ROWTIME of the context is the record's own, and may be another behind the call. */
  take(records: Records, i: number): void {
    if (this.#decoder === undefined) return;
    if (this.table) this.#takeUpsert(this.table, this.#key(records, i), records, i);
    else this.#takeFact(records, i);
  }

  #takeUpsert(table: TableNode, key: Row, records: Records, i: number): void {
    const row = records.findValue(i, this.#valueRange) ? this.#row(key, records, i) : null;
    if (this.#timestamp !== undefined && row !== null && !this.#takeTime(this.#timestamp, row, records, i)) return;
    // A snapshot says how a row is, not that it has changed.
    const op = records.op(i);
    if (row === null) table.set(key, null);
    else if (op === 'r') table.confirm(key, row);
    else if (op === 'c') table.add(key, row);
    else table.set(key, row);
  }

  #takeFact(records: Records, i: number): void {
    // A null value is no row of a stream (ksqlDB drops it before any operator).
    if (!records.findValue(i, this.#valueRange)) return;
    const key = this.#schema.keyColumns.length === 0 ? [] : this.#key(records, i);
    const row = this.#row(key, records, i);
    if (row === null) return;
    if (this.#timestamp !== undefined && !this.#takeTime(this.#timestamp, row, records, i)) return;
    for (const listener of this.listeners) listener.accept(this.name, null, row);
  }

  /** False: the record is left out. */
  #takeTime(timestamp: RowTimestamp, row: Row, records: Records, i: number): boolean {
    const ms = timestamp.of(row);
    if (ms !== null) {
      this.#env.context.rowtimeMs = ms;
      return true;
    }
    const reason = timestamp.problem(row);
    if (this.#failsWithoutTimestamp) throw this.#badRecord('value', records, i, new Error(reason));
    this.#env.onSkipped(this.name, reason);
    return false;
  }

  #key(records: Records, i: number): Row {
    const range = this.#keyRange;
    try {
      const key = this.#decoder!.key(records.findKey(i, range) ? range : null);
      if (this.table && key.some((part: Value) => part === null))
        throw new AppError('bad-record', 'a key column is null');
      return key;
    } catch (error) {
      throw this.#badRecord('key', records, i, error);
    }
  }

  /** Of the value that was found. */
  #row(key: Row, records: Records, i: number): Row | null {
    try {
      return this.#decoder!.row(key, this.#valueRange);
    } catch (error) {
      throw this.#badRecord('value', records, i, error);
    }
  }

  #badRecord(part: string, records: Records, i: number, cause: unknown): AppError {
    const offset = records.offset(i);
    const place = offset === undefined ? '' : ` offset ${offset}`;
    const bytes = part === 'key' ? records.key(i) : records.value(i);
    return new AppError('bad-record', `the ${part} of a record of topic ${this.topic} does not fit ${this.name}`, {
      detail:
        `partition ${records.partition(i)}${place}: ${cause instanceof Error ? cause.message : String(cause)}; ` +
        `bytes ${bytes ? bytes.subarray(0, 64).toString('hex') : 'none'}`,
      cause,
    });
  }
}
