// The text of a key, the same from whatever reader its values come: for sets of keys that are kept or looked up here.
import type { DataType, Row } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import type { ValueWriter } from '../core/row-encoder.js';
import { writeValue } from '../schema/formats/write-value.js';

/** A writer that makes the text of a key. `take` gives it and begins the next. */
export class KeyText implements ValueWriter {
  #text = '';

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  #add(part: string): void {
    // The length in front keeps ('a', 'bc') and ('ab', 'c') apart.
    this.#text += `${part.length}:${part}`;
  }

  null(): void {
    this.#add('');
  }
  boolean(value: boolean): void {
    this.#add(value ? '1' : '0');
  }
  integer(value: number): void {
    this.#add(String(value));
  }
  int64(high: number, low: number): void {
    // Within 2^53 the same text as `integer` gives.
    this.#add(
      high >= -0x200000 && high < 0x200000
        ? String(high * 4_294_967_296 + low)
        : String((BigInt(high) << 32n) | BigInt(low)),
    );
  }
  double(value: number): void {
    this.#add(String(value));
  }
  decimal(source: Buffer, start: number, end: number): void {
    this.#add(source.toString('latin1', start, end));
  }
  utf8(source: Buffer, start: number, end: number): void {
    this.#add(source.toString('latin1', start, end));
  }
  string(value: string): void {
    this.#add(Buffer.from(value).toString('latin1'));
  }
  bytes(source: Buffer, start: number, end: number): void {
    this.#add(source.toString('latin1', start, end));
  }
  micros(value: number): void {
    this.#add(String(value));
  }
  microsWide(high: number, low: number): void {
    this.int64(high, low);
  }
  value(): void {
    throw new AppError('internal', 'no key column is nested');
  }
}

const text = new KeyText();

/** The text of key values that are in memory. */
export function keyTextOf(types: readonly DataType[], values: Row): string {
  values.forEach((value, i) => writeValue(text, types[i]!, value));
  return text.take();
}
