// Compiles a RowEncoder for one captured table: which writer writes the value, which the key, and what an update of the key and a
// delete become on the stream. The order of records: the tombstone of the old key, then the new row; with `flat-with-deleted`
// a delete is the last row marked `__deleted` "true" and then, unless they are not wanted, the tombstone.
import { AppError, assert } from '../../core/errors.js';
import { opCode, type Op } from '../../core/record.js';
import type { OldRow, RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';
import { frame, messageFrame } from '../wire-format.js';
import { behind, connectValueSchema, withSchema } from './connect-json.js';
import { AvroValueWriter } from './avro-value-writer.js';
import { ByteWriter } from '../../core/bytes.js';
import type { RecordChunkBuilder } from './chunk-builder.js';
import type { ColumnValueWriter } from './column-value-writer.js';
import { EnvelopeRowEncoder } from './envelope-row-encoder.js';
import { deletedField, type WireField } from './format.js';
import { JsonValueWriter, objectFrame } from './json-value-writer.js';
import { headersWriter, tombstoneHeadersWriter, type HeadersWriter } from './headers-writer.js';
import { keyWriter, needed, rowImage } from './key-writer.js';
import { partitionOf } from './partitioner.js';
import { shapeOfText } from './protobuf-shape.js';
import { fieldTag } from './protobuf-value.js';
import { ProtobufValueWriter } from './protobuf-value-writer.js';
import { writeVarint } from './protobuf-write.js';
import { tableFields, type RowEncoderOptions } from './row-encoder-options.js';
import type { TeeValueWriter } from './tee-value-writer.js';

export function createRowEncoder(options: RowEncoderOptions): RowEncoder {
  check(options);
  const { envelope, table, shape } = options;
  if (shape !== 'envelope') return new FlatRowEncoder(options);
  assert(envelope, 'an envelope has a source');
  return new EnvelopeRowEncoder(options, { ...envelope, ...table }, tableFields(table));
}

const letterC = 99;

class FlatRowEncoder implements RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  readonly oldRow: OldRow;
  readonly held = this;
  readonly #tombstones: boolean;
  readonly #chunks: RecordChunkBuilder;
  readonly #out: ByteWriter;
  readonly #partitions: number;
  readonly #row: ColumnValueWriter;
  /** Writes rows with `__deleted` "true"; only with that shape. */
  readonly #deletedRow: ColumnValueWriter | undefined;
  readonly #key: ColumnValueWriter;
  /** Old keys of updates, which nearly always are those of the new rows: values lie one behind the other in the chunk, and go on so. */
  readonly #oldKey: ColumnValueWriter;
  readonly #tee: TeeValueWriter | undefined;
  readonly #deletedTee: TeeValueWriter | undefined;
  /** Where the key's columns are found: columns of the row writer, or of the tee's scratch. */
  readonly #keySource: readonly number[];
  /** The key is a range of the value's bytes. */
  readonly #keyInPlace: boolean;
  readonly #firstKey: number;
  readonly #opColumns: readonly number[];
  /** Undefined: records have no headers of their own. */
  readonly #headers: HeadersWriter | undefined;
  /** Of those that come behind marked rows. */
  readonly #tombstoneHeaders: HeadersWriter | undefined;
  /** From the last letter of a text to its end. */
  readonly #textEnd: number;

  #generation = -1;
  #topicIndex = 0;
  #op = 0;
  /** Of the headers of the newest row. */
  #headersSize = 0;
  #valueStart = 0;
  /** An old key was given. */
  #hasOldKey = false;
  /** Set by locateKey. */
  #keyStart = 0;
  #keyLength = 0;

  constructor(options: RowEncoderOptions) {
    const { table, chunks, keyFormat, valueFormat, keyShape } = options;
    this.table = table;
    this.topic = options.topic;
    const marked = options.shape === 'flat-with-deleted';
    this.oldRow = marked ? 'of-deletes' : 'key';
    this.#tombstones = options.tombstones !== false || !marked;
    this.#chunks = chunks;
    this.#out = chunks.out;
    this.#partitions = options.partitions;
    const fields = tableFields(table);
    this.#row = valueWriter(options, fields.value, marked ? 'false' : undefined);
    this.#deletedRow = marked ? valueWriter(options, fields.value, 'true') : undefined;
    this.#key = keyWriter(chunks.out, options, fields.key);
    this.#oldKey = keyWriter(new ByteWriter(256), options, fields.key);
    this.#firstKey = table.keyColumns[0]!;
    this.#opColumns = options.opColumns ?? [];
    this.#headers = headersWriter(options.headers, chunks.origin);
    this.#tombstoneHeaders = tombstoneHeadersWriter(options.headers, chunks.origin);
    this.#textEnd = valueFormat === 'JSON' ? 2 : 1;
    this.#keyInPlace =
      keyFormat === 'JSON' &&
      valueFormat === 'JSON' &&
      keyShape === 'bare' &&
      (options.schemas?.key ?? false) === false;
    const formats = { key: keyFormat, value: valueFormat };
    const live = rowImage(this.#row, table, fields.value, formats);
    this.#tee = live.tee;
    this.#keySource = live.keySource;
    this.#deletedTee = this.#deletedRow && rowImage(this.#deletedRow, table, fields.value, formats).tee;
  }

  beginOld(): ValueWriter {
    const key = this.#oldKey;
    key.out.reset();
    key.begin();
    return key;
  }

  endOld(): void {
    this.#oldKey.finish();
    this.#hasOldKey = true;
  }

  beginRow(op: Op): ValueWriter {
    this.#op = opCode[op];
    this.#valueStart = this.#out.length;
    const to = this.#tee ?? this.#row;
    to.begin();
    return to;
  }

  endRow(): void {
    const valueLength = this.#finishValue(this.#row, this.#tee, this.#op);
    if (this.#hasOldKey) this.#endUpdate();
    this.#add(this.#op, this.#keyStart, this.#keyLength, this.#valueStart, valueLength, this.#headersSize);
  }

  beginDelete(): ValueWriter {
    this.#valueStart = this.#out.length;
    const to = this.#deletedTee ?? this.#deletedRow ?? this.#key;
    to.begin();
    return to;
  }

  endDelete(): void {
    if (this.#deletedRow) {
      const valueLength = this.#finishValue(this.#deletedRow, this.#deletedTee, opCode.d);
      this.#add(opCode.d, this.#keyStart, this.#keyLength, this.#valueStart, valueLength, this.#headersSize);
      // What is told of the change is told by the row.
      if (this.#tombstones) this.#addTombstone(this.#keyStart, this.#keyLength, this.#tombstoneHeaders);
    } else {
      this.#key.finish();
      this.#keyStart = this.#valueStart;
      this.#keyLength = this.#out.length - this.#valueStart;
      if (this.#tombstones) this.#addTombstone(this.#keyStart, this.#keyLength, this.#headers);
    }
  }

  /** Ends the value, finds or writes the key; the value's length. */
  #finishValue(row: ColumnValueWriter, tee: TeeValueWriter | undefined, op: number): number {
    const out = this.#out;
    row.finish();
    const valueLength = out.length - this.#valueStart;
    if (this.#headers !== undefined) this.#headersSize = this.#headers.write(out, op);
    if (this.#keyInPlace) {
      this.#keyStart = row.columnStart(this.#firstKey);
      this.#keyLength = row.columnEnd(this.#firstKey) - this.#keyStart;
      return valueLength;
    }
    this.#keyStart = out.length;
    if (tee) {
      tee.key.finish();
      this.#key.copyFrom(tee.key, this.#keySource);
    } else this.#key.copyFrom(row, this.#keySource);
    this.#keyLength = out.length - this.#keyStart;
    return valueLength;
  }

  /** A key that changed: the old one gets its tombstone before the row. */
  #endUpdate(): void {
    this.#hasOldKey = false;
    const out = this.#out;
    const { buffer: old, length } = this.#oldKey.out;
    let same = length === this.#keyLength;
    for (let i = 0; same && i < length; i++) same = old[i] === out.buffer[this.#keyStart + i];
    if (same) return;
    // The delete of one row and another one that is new, as Debezium has it.
    this.#op = opCode.c;
    this.#headers?.setOp(out, opCode.c);
    const start = out.length;
    out.copy(old, 0, length);
    this.#addTombstone(start, length, this.#headers);
    const bytes = out.buffer;
    for (const column of this.#opColumns) bytes[this.#row.columnEnd(column) - this.#textEnd] = letterC;
  }

  #addTombstone(keyStart: number, keyLength: number, headers: HeadersWriter | undefined): void {
    const start = this.#out.length;
    this.#add(opCode.d, keyStart, keyLength, start, -1, headers?.write(this.#out, opCode.d) ?? 0);
  }

  #add(
    op: number,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    headersSize: number,
  ): void {
    const chunks = this.#chunks;
    if (this.#generation !== chunks.generation) {
      this.#generation = chunks.generation;
      this.#topicIndex = chunks.topicIndex(this.topic);
    }
    const partition =
      this.#partitions === 1 ? 0 : partitionOf(this.#out.buffer, keyStart, keyStart + keyLength, this.#partitions);
    chunks.add(op, this.#topicIndex, partition, keyStart, keyLength, valueStart, valueLength, headersSize);
  }
}

function valueWriter(
  options: RowEncoderOptions,
  fields: readonly WireField[],
  deleted: string | undefined,
): ColumnValueWriter {
  const out = options.chunks.out;
  if (options.valueFormat === 'AVRO') {
    // The branch of the nullable union, the length as a varint (below 64: one byte), the text.
    const suffix = deleted === undefined ? undefined : Buffer.from([2, deleted.length << 1, ...Buffer.from(deleted)]);
    return new AvroValueWriter(out, fields, frame(needed(options.valueSchemaId, 'value')), suffix);
  }
  if (options.valueFormat === 'PROTOBUF') return protobufWriter(options, fields, deleted);
  const extra = deleted === undefined ? '' : `,"${deletedField}":"${deleted}"`;
  const plain = objectFrame(
    fields.map((f) => f.name),
    extra,
  );
  if (options.schemas?.value === 'registered')
    return new JsonValueWriter(out, fields, behind(frame(needed(options.valueSchemaId, 'value')), plain));
  if (options.schemas?.value !== true) return new JsonValueWriter(out, fields, plain);
  const { times } = options.schemas;
  const more = deleted === undefined ? [] : [deletedField];
  return new JsonValueWriter(out, fields, withSchema(plain, connectValueSchema(options.topic, fields, times, more)));
}

function protobufWriter(
  { chunks, valueSchema, valueSchemaId }: RowEncoderOptions,
  fields: readonly WireField[],
  deleted: string | undefined,
): ColumnValueWriter {
  const mark = { name: deletedField, type: { kind: 'STRING' } } as const;
  const marked = deleted === undefined ? fields : [...fields, mark];
  const shape = shapeOfText(needed(valueSchema, 'value'), marked);
  const suffix = new ByteWriter(32);
  if (deleted !== undefined) {
    writeVarint(suffix, fieldTag(shape.numbers.at(-1)!, mark.type));
    suffix.string(deleted);
  }
  const start = { frame: messageFrame(needed(valueSchemaId, 'value')) };
  return new ProtobufValueWriter(chunks.out, fields, shape, start, suffix.takeFrom(0));
}

function check({ table, shape, valueFormat, keyFormat, keyShape }: RowEncoderOptions): void {
  if (valueFormat === 'KAFKA') {
    throw new AppError('bad-connector-config', 'rows cannot be written in the KAFKA format', {
      hint: 'use JSON, AVRO or PROTOBUF for values',
    });
  }
  if (keyShape === 'bare' && keyFormat === 'PROTOBUF') {
    throw new AppError(
      'bad-connector-config',
      `the key of ${table.table} is a message in PROTOBUF, never a bare value`,
    );
  }
  if (keyShape === 'bare' && table.keyColumns.length !== 1) {
    throw new AppError(
      'bad-connector-config',
      `the key of ${table.table} has ${table.keyColumns.length} columns and needs an object`,
    );
  }
  for (const { name } of table.columns) {
    if (name === deletedField && shape === 'flat-with-deleted') {
      throw new AppError('bad-connector-config', `table ${table.table} has a column ${deletedField} of its own`, {
        hint: 'exclude the column, or choose the shape without it',
      });
    }
  }
}
