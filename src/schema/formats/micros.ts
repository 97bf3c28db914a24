// Microseconds on the wire: milliseconds where the column has up to three digits. Times are floored, so that one before 1970
// goes to the millisecond it lies in.
import { integerValue, type DataType } from '../../core/data-type.js';

/** What stands for a time on the wire. */
export const units = { micros: 0, millis: 1, zoned: 2 } as const;

/** Of a TIME or TIMESTAMP; of others it does not matter. */
export function unitOf(type: DataType): number {
  if (type.kind !== 'TIME' && type.kind !== 'TIMESTAMP') return units.micros;
  if (type.kind === 'TIMESTAMP' && type.zoned !== undefined) return units.zoned;
  return type.digits === 3 ? units.millis : units.micros;
}

export function floorMillis(micros: number | bigint): number | bigint {
  if (typeof micros === 'number') return Math.floor(micros / 1000);
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  return integerValue((micros - rest) / 1000n);
}

/** The number on the wire for a TIME or TIMESTAMP. */
export function toWire(micros: number | bigint, digits: 3 | 6): number | bigint {
  return digits === 6 ? micros : floorMillis(micros);
}

/** The µs of a number on the wire. */
export function fromWire(wire: number | bigint, digits: 3 | 6): number | bigint {
  if (digits === 6) return wire;
  if (typeof wire === 'number') {
    const micros = wire * 1000;
    if (Number.isSafeInteger(micros)) return micros;
  }
  return integerValue(BigInt(wire) * 1000n);
}
