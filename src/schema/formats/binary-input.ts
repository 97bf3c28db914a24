// What the readers of binary formats have in common: a range of a buffer that is read from front to back. Every length is checked against what
// is left, so bad bytes end in bad-record and never in another record's data or a huge allocation.
import { AppError } from '../../core/errors.js';
import { decodeUtf8 } from './utf8.js';

export abstract class BinaryInput {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;
  readonly #format: string;

  /** `format`: its name, for errors. */
  constructor(format: string) {
    this.#format = format;
  }

  open(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  fail(what: string): never {
    throw new AppError('bad-record', `the ${this.#format} data does not fit its schema: ${what}`);
  }

  /** Asserts that `count` bytes are left, and passes them; where they began. */
  pass(count: number): number {
    const from = this.at;
    if (count > this.end - from) this.fail('it ends too early');
    this.at = from + count;
    return from;
  }

  /** Passes bytes or text with their length, which is checked; where they began. */
  abstract block(): number;

  text(): string {
    const from = this.block();
    const text = decodeUtf8(this.bytes, from, this.at);
    if (text === undefined) this.fail('a string is not valid UTF-8');
    return text;
  }

  blob(): Buffer {
    const from = this.block();
    return Buffer.from(this.bytes.subarray(from, this.at));
  }

  double(): number {
    return this.bytes.readDoubleLE(this.pass(8));
  }

  float(): number {
    return this.bytes.readFloatLE(this.pass(4));
  }
}
