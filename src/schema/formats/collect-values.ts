// Values that a source writes, as values in memory: the way back of write-value.ts, for rows that a source has to look at itself.
import { integerValue, type Value } from '../../core/data-type.js';
import type { ValueWriter } from '../../core/row-encoder.js';

/** `take` gives what was written and begins the next row. */
export class ValueCollector implements ValueWriter {
  #values: Value[] = [];

  take(): Value[] {
    const values = this.#values;
    this.#values = [];
    return values;
  }

  null(): void {
    this.#values.push(null);
  }
  boolean(value: boolean): void {
    this.#values.push(value);
  }
  integer(value: number): void {
    this.#values.push(value);
  }
  int64(high: number, low: number): void {
    this.#values.push(integerValue((BigInt(high) << 32n) | BigInt(low)));
  }
  double(value: number): void {
    this.#values.push(value);
  }
  decimal(source: Buffer, start: number, end: number): void {
    this.#values.push(integerValue(BigInt(source.toString('latin1', start, end).replace('.', ''))));
  }
  utf8(source: Buffer, start: number, end: number): void {
    this.#values.push(source.toString('utf8', start, end));
  }
  string(value: string): void {
    this.#values.push(value);
  }
  bytes(source: Buffer, start: number, end: number): void {
    this.#values.push(Buffer.from(source.subarray(start, end)));
  }
  micros(value: number): void {
    this.#values.push(value);
  }
  microsWide(high: number, low: number): void {
    this.int64(high, low);
  }
  value(value: Value): void {
    this.#values.push(value);
  }
}
