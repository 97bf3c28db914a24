// Which keys the stream has changed while a snapshot chunk was being read: rows of the chunk with such a key are older than what
// the stream has handed over already, and are dropped. A key is kept as text that is the same from both readers.
import type { ValueWriter } from '../../core/row-encoder.js';

export class KeyWindow {
  readonly #keys = new Set<string>();

  add(key: string): void {
    this.#keys.add(key);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  get empty(): boolean {
    return this.#keys.size === 0;
  }
}

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
}
