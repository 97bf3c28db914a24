// A value in memory in Avro's binary form, under the schema that avro-schema.ts makes from its type.
import type { DataType, Value } from '../../core/data-type.js';
import { writeBigLong, writeBytes, writeDecimal, writeLong, writeText } from './avro-write.js';
import type { ByteWriter } from '../../core/bytes.js';
import { toWire } from './micros.js';
import { zonedText } from './zoned-text.js';

/** A nullable union with null first: what every field and element is, but the single column of a bare key. */
export function writeNullable(out: ByteWriter, type: DataType, value: Value): void {
  writeLong(out, value === null ? 0 : 1);
  if (value !== null) writeAvro(out, type, value);
}

export function writeAvro(out: ByteWriter, type: DataType, value: Exclude<Value, null>): void {
  switch (type.kind) {
    case 'BOOLEAN':
      out.reserve(1);
      out.buffer[out.length++] = value === true ? 1 : 0;
      return;
    case 'INTEGER':
    case 'DATE':
      writeLong(out, value as number);
      return;
    case 'BIGINT':
      writeBigLong(out, value as number | bigint);
      return;
    case 'TIMESTAMP':
      if (type.zoned !== undefined) {
        writeText(out, zonedText(value as number | bigint, type.zoned));
        return;
      }
      writeBigLong(out, toWire(value as number | bigint, type.digits));
      return;
    case 'TIME':
      writeBigLong(out, toWire(value as number | bigint, type.digits));
      return;
    case 'DOUBLE':
      out.double(value as number);
      return;
    case 'DECIMAL':
      writeDecimal(out, value as number | bigint);
      return;
    case 'STRING':
      writeText(out, value as string);
      return;
    case 'BYTES':
      writeBytes(out, value as Buffer, 0, (value as Buffer).length);
      return;
    case 'ARRAY': {
      const elements = value as readonly Value[];
      if (elements.length > 0) {
        writeLong(out, elements.length);
        for (const element of elements) writeNullable(out, type.element, element);
      }
      writeLong(out, 0);
      return;
    }
    case 'MAP': {
      const entries = value as ReadonlyMap<string, Value>;
      if (entries.size > 0) {
        writeLong(out, entries.size);
        for (const [key, element] of entries) {
          writeText(out, key);
          writeNullable(out, type.value, element);
        }
      }
      writeLong(out, 0);
      return;
    }
    case 'STRUCT':
      type.fields.forEach((field, i) => writeNullable(out, field.type, (value as readonly Value[])[i] ?? null));
  }
}
