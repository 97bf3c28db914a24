// A writer that makes of a key what a message shows of it: `id 7, day 19000`.
import type { Value } from '../../core/data-type.js';
import type { ValueWriter } from '../../core/row-encoder.js';

const textMax = 100;

export class KeyReading implements ValueWriter {
  readonly #names: readonly string[];
  readonly #parts: string[] = [];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  get text(): string {
    const unread = this.#names.slice(this.#parts.length).map((name) => `${name} unreadable`);
    return [...this.#parts, ...unread].join(', ');
  }

  #add(value: string): void {
    const shown = value.length > textMax ? `${value.slice(0, textMax)}...` : value;
    this.#parts.push(`${this.#names[this.#parts.length]} ${shown}`);
  }

  null(): void {
    this.#add('NULL');
  }
  boolean(value: boolean): void {
    this.#add(String(value));
  }
  integer(value: number): void {
    this.#add(String(value));
  }
  int64(high: number, low: number): void {
    this.#add(((BigInt(high) << 32n) | BigInt(low)).toString());
  }
  double(value: number): void {
    this.#add(String(value));
  }
  decimal(source: Buffer, start: number, end: number): void {
    this.#add(source.toString('latin1', start, end));
  }
  utf8(source: Buffer, start: number, end: number): void {
    this.#add(JSON.stringify(source.toString('utf8', start, end)));
  }
  string(value: string): void {
    this.#add(JSON.stringify(value));
  }
  bytes(source: Buffer, start: number, end: number): void {
    this.#add(`X'${source.toString('hex', start, end)}'`);
  }
  micros(value: number): void {
    this.#add(`${value} µs`);
  }
  microsWide(high: number, low: number): void {
    this.int64(high, low);
  }
  value(value: Value): void {
    this.#add(JSON.stringify(value));
  }
}
