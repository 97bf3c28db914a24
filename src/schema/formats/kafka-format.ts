// ksqlDB's KAFKA format: one column in the form of Kafka's own serializers. INTEGER and BIGINT big-endian in 4 and 8 bytes,
// DOUBLE big-endian IEEE, STRING UTF-8, BYTES as they are. Other types have no serializer and are refused when a key is compiled.
import { integerValue, printType, type DataType, type Value } from '../../core/data-type.js';
import { AppError, assert } from '../../core/errors.js';
import type { ByteWriter } from '../../core/bytes.js';
import type { WireField } from './format.js';
import { decodeUtf8, excerpt } from './utf8.js';

/** The only field of a KAFKA key or value; unsupported-statement when it cannot be one. */
export function kafkaField(fields: readonly WireField[]): WireField {
  const field = fields[0];
  if (field === undefined || fields.length > 1) {
    throw new AppError('invalid-statement', `the KAFKA format holds one column, not ${fields.length}`, {
      hint: 'use the JSON or AVRO format for a key of several columns',
    });
  }
  switch (field.type.kind) {
    case 'INTEGER':
    case 'BIGINT':
    case 'DOUBLE':
    case 'STRING':
    case 'BYTES':
      return field;
    case 'BOOLEAN':
    case 'DECIMAL':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      throw new AppError(
        'invalid-statement',
        `the KAFKA format does not hold ${printType(field.type)} (column ${field.name})`,
        {
          hint: 'use the JSON or AVRO format',
        },
      );
  }
}

export function putKafka(out: ByteWriter, type: DataType, value: Value): void {
  switch (type.kind) {
    case 'INTEGER':
      out.reserve(4);
      out.length = out.buffer.writeInt32BE(Number(value), out.length);
      return;
    case 'BIGINT':
      out.reserve(8);
      out.length = out.buffer.writeBigInt64BE(BigInt(value as number | bigint), out.length);
      return;
    case 'DOUBLE':
      out.reserve(8);
      out.length = out.buffer.writeDoubleBE(value as number, out.length);
      return;
    case 'STRING': {
      const text = value as string;
      out.reserve(text.length * 3);
      out.length += out.buffer.write(text, out.length, 'utf8');
      return;
    }
    case 'BYTES': {
      const bytes = value as Buffer;
      out.copy(bytes, 0, bytes.length);
      return;
    }
    case 'BOOLEAN':
    case 'DECIMAL':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      assert(false, `the KAFKA format was compiled for ${type.kind}`);
  }
}

export function readKafka(field: WireField, bytes: Buffer, start: number, end: number): Value {
  const size = end - start;
  switch (field.type.kind) {
    case 'INTEGER':
      if (size === 4) return bytes.readInt32BE(start);
      break;
    case 'BIGINT':
      if (size === 8) return integerValue(bytes.readBigInt64BE(start));
      break;
    case 'DOUBLE':
      if (size === 8) return bytes.readDoubleBE(start);
      break;
    case 'STRING': {
      const text = decodeUtf8(bytes, start, end);
      if (text !== undefined) return text;
      break;
    }
    case 'BYTES':
      return Buffer.from(bytes.subarray(start, end));
    case 'BOOLEAN':
    case 'DECIMAL':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      break;
  }
  throw new AppError('bad-record', `column ${field.name} is no ${field.type.kind} in the KAFKA format`, {
    detail: `${size} bytes: ${excerpt(bytes, start, end)}`,
  });
}
