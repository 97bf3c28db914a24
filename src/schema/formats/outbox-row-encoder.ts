// The encoder of an outbox table, as Debezium's EventRouter makes records of it: each row that is inserted is an event, whose topic, key and
// value stand in its columns. Deletes are how an outbox is kept small, and tell nothing; updates are not meant to be. Nothing is held of
// such a table, and a row is never written twice by itself: rows that are read again are events again.
import { AppError } from '../../core/errors.js';
import type { Value } from '../../core/data-type.js';
import { opCode, type Op } from '../../core/record.js';
import type { RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';
import { writeBytes, writeLong, writeText } from './avro-write.js';
import type { RecordChunkBuilder } from './chunk-builder.js';
import { ValueCollector } from './collect-values.js';
import type { ColumnValueWriter } from './column-value-writer.js';
import type { Format } from './format.js';
import { bareFrame, JsonValueWriter } from './json-value-writer.js';
import { keyWriter } from './key-writer.js';
import { putKafka } from './kafka-format.js';
import { partitionOf } from './partitioner.js';
import { tableFields } from './row-encoder-options.js';
import { writeValue } from './write-value.js';

/** Columns of the table by their places. */
export interface OutboxPlan {
  readonly route: number;
  readonly key: number;
  readonly keyFormat: Format;
  readonly payload: number;
  /** The bytes or the text of the payload as they are; else JSON. */
  readonly raw: boolean;
  /** Text that is a JSON object or array stands in JSON as such. */
  readonly expand: boolean;
  /** Beside the payload, which is a field then. */
  readonly fields: readonly { readonly name: string; readonly column: number }[];
  /** Of the record. */
  readonly headers: readonly { readonly name: string; readonly column: number }[];
  readonly emptyIsTombstone: boolean;
}

export interface OutboxOptions {
  readonly table: SourceTable;
  /** Its own one, which stays empty. */
  readonly topic: string;
  readonly plan: OutboxPlan;
  readonly chunks: RecordChunkBuilder;
  /** Topic and partitions of events by the value that they are routed by; throws where there is none. */
  readonly routeOf: (value: string) => { readonly topic: string; readonly partitions: number };
  /** A row was updated, of which nothing is told. May throw. */
  readonly onUpdate: () => void;
}

export class OutboxRowEncoder implements RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  readonly oldRow = 'key';
  readonly held: RowEncoder;
  readonly #options: OutboxOptions;
  readonly #row = new ValueCollector();
  readonly #key: ColumnValueWriter;
  readonly #json: readonly ColumnValueWriter[];
  #op: Op = 'c';

  constructor(options: OutboxOptions) {
    const { table, topic, plan, chunks } = options;
    this.#options = options;
    this.table = table;
    this.topic = topic;
    this.held = new SilentRowEncoder(table, topic);
    const { value } = tableFields(table);
    const keyField = { ...value[plan.key]!, column: 0 };
    this.#key = keyWriter(chunks.out, { topic, keyFormat: plan.keyFormat, keyShape: 'bare' }, [keyField]);
    this.#json = value.map((field) => new JsonValueWriter(chunks.out, [{ ...field, column: 0 }], bareFrame));
  }

  beginOld(): ValueWriter {
    return this.#row;
  }

  endOld(): void {
    this.#row.take();
  }

  beginRow(op: Op): ValueWriter {
    this.#op = op;
    // What is left of a row that could not be read.
    this.#row.take();
    return this.#row;
  }

  endRow(): void {
    const row = this.#row.take();
    if (this.#op === 'u') this.#options.onUpdate();
    else this.#write(row);
  }

  beginDelete(): ValueWriter {
    return this.#row;
  }

  endDelete(): void {
    this.#row.take();
  }

  #write(row: readonly Value[]): void {
    const { plan, chunks, routeOf, table } = this.#options;
    const routedBy = row[plan.route];
    if (typeof routedBy !== 'string' || routedBy === '')
      throw new AppError(
        'unconvertible-value',
        `an event of ${table.database}.${table.table} has no ${table.columns[plan.route]!.name}, by which its topic is chosen`,
        {
          hint: `set the column in every row; or choose another one by route.by.field`,
        },
      );
    const { topic, partitions } = routeOf(routedBy);
    const { out } = chunks;
    const keyStart = out.length;
    const hasKey = row[plan.key] !== null;
    if (hasKey) this.#put(this.#key, plan.key, row);
    const keyEnd = out.length;
    const isTombstone = this.#putValue(row);
    const valueEnd = out.length;
    this.#putHeaders(row);
    const partition = partitions === 1 || !hasKey ? 0 : partitionOf(out.buffer, keyStart, keyEnd, partitions);
    chunks.add(
      opCode[isTombstone ? 'd' : this.#op],
      chunks.topicIndex(topic),
      partition,
      keyStart,
      hasKey ? keyEnd - keyStart : -1,
      keyEnd,
      isTombstone ? -1 : valueEnd - keyEnd,
      out.length - valueEnd,
    );
  }

  /** True: there is none, and a null value stands for it. */
  #putValue(row: readonly Value[]): boolean {
    const { plan, chunks, table } = this.#options;
    const payload = row[plan.payload]!;
    const isEmpty = payload === null || (typeof payload === 'string' && payload.trim() === '');
    if (isEmpty && plan.emptyIsTombstone) return true;
    if (plan.fields.length === 0) {
      if (payload === null) return true;
      if (plan.raw) putKafka(chunks.out, table.columns[plan.payload]!.type, payload);
      else this.#putPayload(row);
      return false;
    }
    this.#text('{"payload":');
    this.#putPayload(row);
    for (const { name, column } of plan.fields) {
      this.#text(`,${JSON.stringify(name)}:`);
      this.#put(this.#json[column]!, column, row);
    }
    this.#text('}');
    return false;
  }

  /** As headers lie in records (core/record-headers.ts); values are text, and what is no text is what JSON writes. */
  #putHeaders(row: readonly Value[]): void {
    const { plan, chunks } = this.#options;
    const { out } = chunks;
    if (plan.headers.length === 0) return;
    out.u8(plan.headers.length);
    for (const { name, column } of plan.headers) {
      writeText(out, name);
      const value = row[column]!;
      if (value === null) writeLong(out, -1);
      else if (typeof value === 'string') writeText(out, value);
      else {
        const start = out.length;
        this.#put(this.#json[column]!, column, row);
        const json = out.takeFrom(start);
        // Bytes and times stand in quotes, and nothing in them is escaped.
        const quotes = json[0] === quote ? 1 : 0;
        writeBytes(out, json, quotes, json.length - quotes);
      }
    }
  }

  #putPayload(row: readonly Value[]): void {
    const { plan } = this.#options;
    const payload = row[plan.payload]!;
    if (plan.expand && typeof payload === 'string' && isJsonObject(payload)) this.#text(payload.trim());
    else this.#put(this.#json[plan.payload]!, plan.payload, row);
  }

  #put(to: ColumnValueWriter, column: number, row: readonly Value[]): void {
    to.begin();
    writeValue(to, this.table.columns[column]!.type, row[column]!);
    to.finish();
  }

  #text(text: string): void {
    const bytes = Buffer.from(text);
    this.#options.chunks.out.copy(bytes, 0, bytes.length);
  }
}

const quote = 34;

function isJsonObject(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Of a table of which nothing is held: its deletes are none. */
export class SilentRowEncoder implements RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  readonly oldRow = 'key';
  readonly held = this;
  readonly #row = new ValueCollector();

  constructor(table: SourceTable, topic: string) {
    this.table = table;
    this.topic = topic;
  }

  beginOld(): ValueWriter {
    return this.#row;
  }
  endOld(): void {
    this.#row.take();
  }
  beginRow(): ValueWriter {
    return this.#row;
  }
  endRow(): void {
    this.#row.take();
  }
  beginDelete(): ValueWriter {
    return this.#row;
  }
  endDelete(): void {
    this.#row.take();
  }
}
