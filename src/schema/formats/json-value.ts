// A value in memory as JSON text on the wire; the same bytes as the row encoder writes for the same value.
import type { DataType, Value } from '../../core/data-type.js';
import type { ByteWriter } from '../../core/bytes.js';
import { decimalText } from '../../core/decimal.js';
import { putInteger } from './integer-text.js';
import { doubleText, writeBase64, writeString } from './json-write.js';
import { toWire } from './micros.js';
import { zonedText } from './zoned-text.js';

export function writeJson(out: ByteWriter, type: DataType, value: Value): void {
  if (value === null) {
    out.ascii('null');
    return;
  }
  switch (type.kind) {
    case 'BOOLEAN':
      out.ascii(value === true ? 'true' : 'false');
      return;
    case 'INTEGER':
    case 'BIGINT':
    case 'DATE':
      writeWhole(out, value as number | bigint);
      return;
    case 'TIMESTAMP':
      if (type.zoned !== undefined) {
        writeString(out, zonedText(value as number | bigint, type.zoned));
        return;
      }
      writeWhole(out, toWire(value as number | bigint, type.digits));
      return;
    case 'TIME':
      writeWhole(out, toWire(value as number | bigint, type.digits));
      return;
    case 'DOUBLE':
      out.ascii(doubleText(value as number));
      return;
    case 'DECIMAL':
      out.ascii(decimalText(value as number | bigint, type.scale));
      return;
    case 'STRING':
      writeString(out, value as string);
      return;
    case 'BYTES':
      writeBase64(out, value as Buffer, 0, (value as Buffer).length);
      return;
    case 'ARRAY':
      out.ascii('[');
      (value as readonly Value[]).forEach((element, i) => {
        if (i > 0) out.ascii(',');
        writeJson(out, type.element, element);
      });
      out.ascii(']');
      return;
    case 'MAP': {
      let separator = '{';
      for (const [key, element] of value as ReadonlyMap<string, Value>) {
        out.ascii(separator);
        writeString(out, key);
        out.ascii(':');
        writeJson(out, type.value, element);
        separator = ',';
      }
      out.ascii(separator === '{' ? '{}' : '}');
      return;
    }
    case 'STRUCT':
      type.fields.forEach((field, i) => {
        out.ascii(i === 0 ? '{' : ',');
        writeString(out, field.name);
        out.ascii(':');
        writeJson(out, field.type, (value as readonly Value[])[i] ?? null);
      });
      out.ascii(type.fields.length === 0 ? '{}' : '}');
  }
}

function writeWhole(out: ByteWriter, value: number | bigint): void {
  if (typeof value === 'bigint') out.ascii(value.toString());
  else {
    out.reserve(24);
    out.length = putInteger(out.buffer, out.length, value);
  }
}
