// Writers of a row's key, and the way from the bytes of its value to it: columns are copied where both have one format, else the key
// columns are written a second time into a buffer of their own.
import { assert } from '../../core/errors.js';
import { ByteWriter } from '../../core/bytes.js';
import type { SourceTable, ValueWriter } from '../../core/row-encoder.js';
import { frame, messageFrame } from '../wire-format.js';
import { AvroValueWriter } from './avro-value-writer.js';
import type { ColumnValueWriter } from './column-value-writer.js';
import { behind, connectKeySchema, withSchema, type JsonSchemas } from './connect-json.js';
import type { Format, KeyShape, WireField } from './format.js';
import { bareFrame, JsonValueWriter, objectFrame } from './json-value-writer.js';
import { kafkaField } from './kafka-format.js';
import { KafkaValueWriter } from './kafka-value-writer.js';
import { shapeOfText } from './protobuf-shape.js';
import { ProtobufValueWriter } from './protobuf-value-writer.js';
import { TeeValueWriter } from './tee-value-writer.js';

export interface KeyForm {
  readonly topic: string;
  readonly keyFormat: Format;
  readonly keyShape: KeyShape;
  readonly schemas?: JsonSchemas | undefined;
  readonly keySchemaId?: number | undefined;
  readonly keySchema?: string | undefined;
}

export function keyWriter(
  out: ByteWriter,
  { keyFormat, keyShape: shape, keySchemaId, keySchema, schemas, topic }: KeyForm,
  fields: readonly WireField[],
): ColumnValueWriter {
  switch (keyFormat) {
    case 'JSON': {
      const plain = shape === 'bare' ? bareFrame : objectFrame(fields.map((f) => f.name));
      if (schemas?.key === 'registered')
        return new JsonValueWriter(out, fields, behind(frame(needed(keySchemaId, 'key')), plain));
      const whole =
        schemas?.key === true ? withSchema(plain, connectKeySchema(topic, fields, schemas.times, shape)) : plain;
      return new JsonValueWriter(out, fields, whole);
    }
    case 'AVRO': {
      const avroFields = shape === 'bare' ? fields.map((f) => ({ ...f, nullable: false })) : fields;
      return new AvroValueWriter(out, avroFields, frame(needed(keySchemaId, 'key')));
    }
    case 'PROTOBUF': {
      const numbers = shapeOfText(needed(keySchema, 'key'), fields);
      return new ProtobufValueWriter(out, fields, numbers, { frame: messageFrame(needed(keySchemaId, 'key')) });
    }
    case 'KAFKA':
      return new KafkaValueWriter(out, kafkaField(fields));
  }
}

/** A writer of rows from which keys are taken. */
export interface RowImage {
  readonly row: ColumnValueWriter;
  /** Where the key has another format than the row. */
  readonly tee: TeeValueWriter | undefined;
  /** Where the key's columns are found: columns of the row writer, or of the tee's scratch. */
  readonly keySource: readonly number[];
}

export function rowImage(
  row: ColumnValueWriter,
  table: SourceTable,
  fields: readonly WireField[],
  formats: { readonly key: Format; readonly value: Format },
): RowImage {
  if (formats.key === formats.value) return { row, tee: undefined, keySource: table.keyColumns };
  const isKey = new Uint8Array(table.columns.length);
  for (const index of table.keyColumns) isKey[index] = 1;
  const inTableOrder = [...table.keyColumns].sort((a, b) => a - b);
  const scratchFields = inTableOrder.map((index) => fields[index]!);
  return {
    row,
    tee: new TeeValueWriter(row, scratchWriter(formats.key, scratchFields), isKey),
    keySource: table.keyColumns.map((index) => inTableOrder.indexOf(index)),
  };
}

/** Begins a row; what its columns go to. */
export function beginImage({ row, tee }: RowImage): ValueWriter {
  const to = tee ?? row;
  to.begin();
  return to;
}

export function finishImage({ row, tee }: RowImage): void {
  row.finish();
  tee?.key.finish();
}

/** Writes the key of a row that is finished. */
export function writeKey(key: ColumnValueWriter, { row, tee, keySource }: RowImage): void {
  key.copyFrom(tee?.key ?? row, keySource);
}

/** Whether two finished rows of one table have the same key. */
export function sameKey(one: RowImage, other: RowImage): boolean {
  const a = one.tee?.key ?? one.row;
  const b = other.tee?.key ?? other.row;
  for (const column of one.keySource) {
    let p = a.columnStart(column);
    let q = b.columnStart(column);
    const end = a.columnEnd(column);
    if (end - p !== b.columnEnd(column) - q) return false;
    const [left, right] = [a.out.buffer, b.out.buffer];
    while (p < end) if (left[p++] !== right[q++]) return false;
  }
  return true;
}

/** Collects the key columns' bytes alone, in a buffer of its own. */
function scratchWriter(format: Format, fields: readonly WireField[]): ColumnValueWriter {
  const out = new ByteWriter(256);
  switch (format) {
    case 'JSON':
      return new JsonValueWriter(out, fields, { prefixes: fields.map(() => Buffer.alloc(0)), suffix: Buffer.alloc(0) });
    case 'AVRO':
      return new AvroValueWriter(out, fields, Buffer.alloc(0));
    case 'PROTOBUF': {
      // Only the values are taken from here: any numbers do.
      const shape = { numbers: fields.map((_, i) => i + 1), nested: fields.map(() => undefined) };
      return new ProtobufValueWriter(out, fields, shape, { frame: Buffer.alloc(0) });
    }
    case 'KAFKA':
      return new KafkaValueWriter(out, kafkaField(fields));
  }
}

export function needed<T extends number | string>(schema: T | undefined, what: string): T {
  assert(schema !== undefined, `the ${what} has no registered schema`);
  return schema;
}
