// Times as numbers, the same for both readers. Zero dates, partial dates and days that no month has cannot be converted: that is the
// reader's error, which knows the column and the bytes.
import type { ValueWriter } from '../../core/row-encoder.js';

/** A timestamp to the writer; µs of the years after 2255 do not fit a double. */
export function writeTimestamp(seconds: number, micros: number, to: ValueWriter): void {
  if (seconds < 9_007_199_254 && seconds > -9_007_199_254) return to.micros(seconds * 1_000_000 + micros);
  const wide = BigInt(seconds) * 1_000_000n + BigInt(micros);
  to.microsWide(Number(wide >> 32n), Number(wide & 0xffffffffn));
}

/** Powers of ten that lift a fraction of n digits to µs. */
export const toMicros = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] as const;
