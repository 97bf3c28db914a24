// Rows in memory to records: what writers of queries and INSERT VALUES write. The bytes are those that a row encoder writes for
// the same row, so a topic looks the same whoever fills it. Encoders are compiled per schema; one call makes one buffer.
import type { Row, RowSchema, Value } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import { frame, messageFrame } from '../wire-format.js';
import { writeAvro, writeNullable } from './avro-value.js';
import { ByteWriter } from '../../core/bytes.js';
import { refuseNull } from './column-value-writer.js';
import { keyFields, valueFields, type Format, type KeyShape, type WireField } from './format.js';
import { writeJson } from './json-value.js';
import { bareFrame, objectFrame, type JsonFrame } from './json-value-writer.js';
import { kafkaField, putKafka } from './kafka-format.js';
import { shapeOfText } from './protobuf-shape.js';
import { isDefault, writeField } from './protobuf-value.js';

export interface ValueEncoderOptions {
  readonly format: Format;
  readonly schema: RowSchema;
  /** Of its registered schema; for AVRO and PROTOBUF. */
  readonly schemaId?: number | undefined;
  /** Its text; for PROTOBUF. */
  readonly schemaText?: string | undefined;
  /** The columns that the value holds; all by default. */
  readonly valueColumns?: readonly number[] | undefined;
}

export interface ValueEncoder {
  /** A whole row, all columns of the schema. */
  encode(row: Row): Buffer;
  /** The same behind what `out` holds already, for callers that gather many records in one buffer. */
  encodeInto(out: ByteWriter, row: Row): void;
}

export interface KeyEncoderOptions {
  readonly format: Format;
  readonly schema: RowSchema;
  readonly keyShape: KeyShape;
  readonly schemaId?: number | undefined;
  readonly schemaText?: string | undefined;
}

export interface KeyEncoder {
  /** The key's values in key order; null (a record without key) for a bare key that is NULL. */
  encode(key: Row): Buffer | null;
  encodeInto(out: ByteWriter, key: Row): boolean;
  /** The key of a whole row. */
  encodeRow(row: Row): Buffer | null;
}

type Write = (out: ByteWriter, values: readonly Value[]) => void;

export function createValueEncoder(options: ValueEncoderOptions): ValueEncoder {
  const { format, schema, valueColumns } = options;
  const write = writer(format, 'object', valueFields(schema, valueColumns), options);
  const scratch = new ByteWriter(1024);
  return {
    encode(row) {
      scratch.length = 0;
      write(scratch, row);
      return scratch.takeFrom(0);
    },
    encodeInto: write,
  };
}

export function createKeyEncoder(options: KeyEncoderOptions): KeyEncoder {
  const { format, schema, keyShape } = options;
  const write = writer(format, keyShape, keyFields(schema), options);
  const mayBeNull = keyShape === 'bare' || format === 'KAFKA';
  const scratch = new ByteWriter(256);
  const keyColumns = schema.keyColumns;
  function encode(key: Row): Buffer | null {
    if (mayBeNull && key[0] === null) return null;
    scratch.length = 0;
    write(scratch, key);
    return scratch.takeFrom(0);
  }
  return {
    encode,
    encodeInto(out, key) {
      if (mayBeNull && key[0] === null) return false;
      write(out, key);
      return true;
    },
    encodeRow: (row) => encode(keyColumns.map((column) => row[column]!)),
  };
}

function writer(
  format: Format,
  shape: KeyShape,
  fields: readonly WireField[],
  { schemaId, schemaText }: Pick<ValueEncoderOptions, 'schemaId' | 'schemaText'>,
): Write {
  switch (format) {
    case 'JSON':
      return jsonWriter(shape === 'bare' ? bareFrame : objectFrame(fields.map((f) => f.name)), fields);
    case 'AVRO':
      assert(schemaId !== undefined, 'an AVRO encoder needs a schema id');
      return avroWriter(frame(schemaId), shape, fields);
    case 'PROTOBUF':
      assert(schemaId !== undefined && schemaText !== undefined, 'a PROTOBUF encoder needs a registered schema');
      return protobufWriter(messageFrame(schemaId), schemaText, fields);
    case 'KAFKA': {
      const field = kafkaField(fields);
      return (out, values) => {
        const value = values[field.column]!;
        if (value === null) refuseNull(field);
        putKafka(out, field.type, value);
      };
    }
  }
}

function jsonWriter({ prefixes, suffix }: JsonFrame, fields: readonly WireField[]): Write {
  return (out, values) => {
    for (let i = 0; i < fields.length; i++) {
      const { type, column } = fields[i]!;
      const prefix = prefixes[i]!;
      out.copy(prefix, 0, prefix.length);
      writeJson(out, type, values[column] ?? null);
    }
    out.copy(suffix, 0, suffix.length);
  };
}

function avroWriter(head: Buffer, shape: KeyShape, fields: readonly WireField[]): Write {
  return (out, values) => {
    out.copy(head, 0, head.length);
    for (const { type, column, nullable } of fields) {
      const value = values[column] ?? null;
      if (shape === 'bare') writeAvro(out, type, value!);
      else if (nullable) writeNullable(out, type, value);
      else writeAvro(out, type, value!);
    }
  };
}

function protobufWriter(head: Buffer, text: string, fields: readonly WireField[]): Write {
  const { numbers, nested } = shapeOfText(text, fields);
  return (out, values) => {
    out.copy(head, 0, head.length);
    for (let i = 0; i < fields.length; i++) {
      const { name, type, column, nullable } = fields[i]!;
      const value = values[column] ?? null;
      if (value === null || (!nullable && isDefault(type, value))) continue;
      writeField(out, numbers[i]!, type, nested[i], value, name);
    }
  };
}
