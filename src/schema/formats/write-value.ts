// A value in memory to a writer of values, for rows that no source gives.
import type { DataType, Value } from '../../core/data-type.js';
import { decimalText } from '../../core/decimal.js';
import type { ValueWriter } from '../../core/row-encoder.js';

export function writeValue(to: ValueWriter, type: DataType, value: Value): void {
  if (value === null) return to.null();
  switch (type.kind) {
    case 'BOOLEAN':
      return to.boolean(value as boolean);
    case 'INTEGER':
    case 'DATE':
      return to.integer(value as number);
    case 'BIGINT':
      if (typeof value === 'number') return to.integer(value);
      return to.int64(...integerHalves(value as bigint));
    case 'TIME':
    case 'TIMESTAMP':
      if (typeof value === 'number') return to.micros(value);
      return to.microsWide(...integerHalves(value as bigint));
    case 'DOUBLE':
      return to.double(value as number);
    case 'DECIMAL': {
      const text = Buffer.from(decimalText(value as number | bigint, type.scale), 'latin1');
      return to.decimal(text, 0, text.length);
    }
    case 'STRING':
      return to.string(value as string);
    case 'BYTES': {
      // From another thread a Buffer comes as the array that it is.
      const bytes = value as Uint8Array;
      return to.bytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
    }
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return to.value(value);
  }
}

/** As `int64` of a writer takes it. */
export function integerHalves(wide: bigint): [high: number, low: number] {
  return [Number(wide >> 32n), Number(BigInt.asUintN(32, wide))];
}
