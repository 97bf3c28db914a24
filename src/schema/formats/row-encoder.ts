// Compiles a RowEncoder for one captured table: which writer writes the value, which the key, and what an update of the key and a
// delete become on the stream. The order of records: the tombstone of the old key, then the new row; with `flat-with-deleted`
// a delete is the last row marked `__deleted` "true" and then the tombstone (a changed key has only the tombstone, since a
// source gives no more than the old key there).
import { AppError, assert } from '../../core/errors.js';
import { opCode, type Op } from '../../core/record.js';
import type { RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';
import { frame } from '../wire-format.js';
import { AvroValueWriter } from './avro-value-writer.js';
import { ByteWriter } from '../../core/bytes.js';
import type { RecordChunkBuilder } from './chunk-builder.js';
import type { ColumnValueWriter } from './column-value-writer.js';
import { deletedField, type Format, type KeyShape, type WireField } from './format.js';
import { bareFrame, JsonValueWriter, objectFrame } from './json-value-writer.js';
import { kafkaField } from './kafka-format.js';
import { KafkaValueWriter } from './kafka-value-writer.js';
import { partitionOf } from './partitioner.js';
import { TeeValueWriter } from './tee-value-writer.js';

export interface RowEncoderOptions {
  readonly table: SourceTable;
  readonly topic: string;
  readonly partitions: number;
  readonly keyFormat: Format;
  readonly valueFormat: Format;
  readonly keyShape: KeyShape;
  readonly shape: 'flat' | 'flat-with-deleted' | 'envelope';
  /** Ids of the schemas that `avroKeySchema` and `avroValueSchema` give for this table; needed where the format is AVRO. */
  readonly keySchemaId?: number | undefined;
  readonly valueSchemaId?: number | undefined;
  readonly chunks: RecordChunkBuilder;
}

/** The fields of a captured row's value and key: what the Avro schemas of the topic are made from too. */
export function tableFields(table: SourceTable): {
  readonly value: readonly WireField[];
  readonly key: readonly WireField[];
} {
  const value = table.columns.map(({ name, type }, column) => ({ name, type, column, nullable: true }));
  const key = table.keyColumns.map((index, column) => {
    const { name, type, nullable } = table.columns[index]!;
    return { name, type, column, nullable };
  });
  return { value, key };
}

export function createRowEncoder(options: RowEncoderOptions): RowEncoder {
  check(options);
  return new FlatRowEncoder(options);
}

class FlatRowEncoder implements RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  readonly wantsOldRow: boolean;
  readonly #chunks: RecordChunkBuilder;
  readonly #out: ByteWriter;
  readonly #partitions: number;
  readonly #row: ColumnValueWriter;
  /** Writes rows with `__deleted` "true"; only with that shape. */
  readonly #deletedRow: ColumnValueWriter | undefined;
  readonly #key: ColumnValueWriter;
  readonly #tee: TeeValueWriter | undefined;
  readonly #deletedTee: TeeValueWriter | undefined;
  /** Where the key's columns are found: columns of the row writer, or of the tee's scratch. */
  readonly #keySource: readonly number[];
  /** The key is a range of the value's bytes. */
  readonly #keyInPlace: boolean;
  readonly #firstKey: number;

  #generation = -1;
  #topicIndex = 0;
  #op = 0;
  #valueStart = 0;
  #oldKeyStart = 0;
  /** -1: no old key was given. */
  #oldKeyLength = -1;
  /** Set by locateKey. */
  #keyStart = 0;
  #keyLength = 0;

  constructor(options: RowEncoderOptions) {
    const { table, chunks, keyFormat, valueFormat, keyShape } = options;
    this.table = table;
    this.topic = options.topic;
    this.wantsOldRow = options.shape === 'flat-with-deleted';
    this.#chunks = chunks;
    this.#out = chunks.out;
    this.#partitions = options.partitions;
    const fields = tableFields(table);
    this.#row = valueWriter(options, fields.value, this.wantsOldRow ? 'false' : undefined);
    this.#deletedRow = this.wantsOldRow ? valueWriter(options, fields.value, 'true') : undefined;
    this.#key = keyWriter(chunks.out, keyFormat, keyShape, fields.key, options.keySchemaId);
    this.#firstKey = table.keyColumns[0]!;
    this.#keyInPlace = keyFormat === 'JSON' && valueFormat === 'JSON' && keyShape === 'bare';
    if (keyFormat === valueFormat) this.#keySource = table.keyColumns;
    else {
      const isKey = new Uint8Array(table.columns.length);
      for (const index of table.keyColumns) isKey[index] = 1;
      const inTableOrder = [...table.keyColumns].sort((a, b) => a - b);
      const scratchFields = inTableOrder.map((index) => fields.value[index]!);
      const scratch = scratchWriter(keyFormat, scratchFields);
      this.#keySource = table.keyColumns.map((index) => inTableOrder.indexOf(index));
      this.#tee = new TeeValueWriter(this.#row, scratch, isKey);
      this.#deletedTee = this.#deletedRow && new TeeValueWriter(this.#deletedRow, scratch, isKey);
    }
  }

  beginOldKey(): ValueWriter {
    this.#oldKeyStart = this.#out.length;
    this.#key.begin();
    return this.#key;
  }

  endOldKey(): void {
    this.#key.finish();
    this.#oldKeyLength = this.#out.length - this.#oldKeyStart;
  }

  beginRow(op: Op): ValueWriter {
    this.#op = opCode[op];
    this.#valueStart = this.#out.length;
    const to = this.#tee ?? this.#row;
    to.begin();
    return to;
  }

  endRow(): void {
    const valueLength = this.#finishValue(this.#row, this.#tee);
    if (this.#oldKeyLength >= 0) this.#endUpdate();
    this.#add(this.#op, this.#keyStart, this.#keyLength, this.#valueStart, valueLength);
  }

  beginDelete(): ValueWriter {
    this.#valueStart = this.#out.length;
    const to = this.#deletedTee ?? this.#deletedRow ?? this.#key;
    to.begin();
    return to;
  }

  endDelete(): void {
    if (this.#deletedRow) {
      const valueLength = this.#finishValue(this.#deletedRow, this.#deletedTee);
      this.#add(opCode.d, this.#keyStart, this.#keyLength, this.#valueStart, valueLength);
    } else {
      this.#key.finish();
      this.#keyStart = this.#valueStart;
      this.#keyLength = this.#out.length - this.#valueStart;
    }
    this.#add(opCode.d, this.#keyStart, this.#keyLength, 0, -1);
  }

  /** Ends the value, finds or writes the key; the value's length. */
  #finishValue(row: ColumnValueWriter, tee: TeeValueWriter | undefined): number {
    const out = this.#out;
    row.finish();
    const valueLength = out.length - this.#valueStart;
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
    const bytes = this.#out.buffer;
    const start = this.#oldKeyStart;
    const length = this.#oldKeyLength;
    this.#oldKeyLength = -1;
    let same = length === this.#keyLength;
    for (let i = 0; same && i < length; i++) same = bytes[start + i] === bytes[this.#keyStart + i];
    if (!same) this.#add(opCode.d, start, length, 0, -1);
  }

  #add(op: number, keyStart: number, keyLength: number, valueStart: number, valueLength: number): void {
    const chunks = this.#chunks;
    if (this.#generation !== chunks.generation) {
      this.#generation = chunks.generation;
      this.#topicIndex = chunks.topicIndex(this.topic);
    }
    const partition =
      this.#partitions === 1 ? 0 : partitionOf(this.#out.buffer, keyStart, keyStart + keyLength, this.#partitions);
    chunks.add(op, this.#topicIndex, partition, keyStart, keyLength, valueStart, valueLength);
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
  const extra = deleted === undefined ? '' : `,"${deletedField}":"${deleted}"`;
  return new JsonValueWriter(
    out,
    fields,
    objectFrame(
      fields.map((f) => f.name),
      extra,
    ),
  );
}

function keyWriter(
  out: ByteWriter,
  format: Format,
  shape: KeyShape,
  fields: readonly WireField[],
  schemaId: number | undefined,
): ColumnValueWriter {
  switch (format) {
    case 'JSON':
      return new JsonValueWriter(out, fields, shape === 'bare' ? bareFrame : objectFrame(fields.map((f) => f.name)));
    case 'AVRO': {
      const avroFields = shape === 'bare' ? fields.map((f) => ({ ...f, nullable: false })) : fields;
      return new AvroValueWriter(out, avroFields, frame(needed(schemaId, 'key')));
    }
    case 'KAFKA':
      return new KafkaValueWriter(out, kafkaField(fields));
  }
}

/** Collects the key columns' bytes alone, in a buffer of its own. */
function scratchWriter(format: Format, fields: readonly WireField[]): ColumnValueWriter {
  const out = new ByteWriter(256);
  switch (format) {
    case 'JSON':
      return new JsonValueWriter(out, fields, { prefixes: fields.map(() => Buffer.alloc(0)), suffix: Buffer.alloc(0) });
    case 'AVRO':
      return new AvroValueWriter(out, fields, Buffer.alloc(0));
    case 'KAFKA':
      return new KafkaValueWriter(out, kafkaField(fields));
  }
}

function needed(schemaId: number | undefined, what: string): number {
  assert(schemaId !== undefined, `the ${what} in AVRO has no schema id`);
  return schemaId;
}

function check({ table, shape, valueFormat, keyShape }: RowEncoderOptions): void {
  if (shape === 'envelope') {
    throw new AppError('bad-connector-config', 'the envelope (before, after, source, op) is not written yet', {
      hint: 'set after.state.only=true, which gives flat rows',
    });
  }
  if (valueFormat === 'KAFKA') {
    throw new AppError('bad-connector-config', 'rows cannot be written in the KAFKA format', {
      hint: 'use JSON or AVRO for values',
    });
  }
  if (keyShape === 'bare' && table.keyColumns.length !== 1) {
    throw new AppError(
      'bad-connector-config',
      `the key of ${table.table} has ${table.keyColumns.length} columns and needs an object`,
    );
  }
  for (const { name, type, sourceType } of table.columns) {
    if (type.kind === 'ARRAY' || type.kind === 'MAP' || type.kind === 'STRUCT') {
      throw new AppError(
        'unsupported-type',
        `column ${name} (${sourceType}) of ${table.table} is nested, which capture does not write`,
      );
    }
    if (name === deletedField && shape === 'flat-with-deleted') {
      throw new AppError('bad-connector-config', `table ${table.table} has a column ${deletedField} of its own`, {
        hint: 'exclude the column, or choose the shape without it',
      });
    }
  }
}
