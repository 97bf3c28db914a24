// DECIMAL from its packed binary form to canonical text: minus where needed, no zeros in front but one before the point, and
// exactly as many digits behind it as the column has.
import { reserve, scratch, writePadded } from './scratch.js';
import { packedDigits, type BinaryReader } from './wire-type.js';

/** A group of digits, big-endian; `mask` inverts the bytes of a negative number. */
function group(event: Buffer, at: number, bytes: number, mask: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value = value * 256 + (event[at + i]! ^ mask);
  return value;
}

/**
 * Nine digits lie in four bytes, a rest of fewer digits in as many bytes as it needs; the integer part begins with its rest,
 * the fraction ends with it. The top bit says positive; a negative number has all bits inverted, so that the top bit is set in
 * both cases once the inversion is undone.
 */
class PackedDecimal {
  readonly #firstDigits: number;
  readonly #firstBytes: number;
  readonly #integerGroups: number;
  readonly #scale: number;
  readonly #scaleGroups: number;
  readonly #lastDigits: number;
  readonly #lastBytes: number;
  /** After `write`: where the text lies in the scratch buffer, and the offset behind the packed value. */
  start = 0;
  end = 0;
  next = 0;

  constructor(precision: number, scale: number) {
    const integerDigits = precision - scale;
    this.#firstDigits = integerDigits % 9;
    this.#firstBytes = packedDigits(this.#firstDigits);
    this.#integerGroups = Math.trunc(integerDigits / 9);
    this.#scale = scale;
    this.#scaleGroups = Math.trunc(scale / 9);
    this.#lastDigits = scale % 9;
    this.#lastBytes = packedDigits(this.#lastDigits);
  }

  write(event: Buffer, at: number): void {
    const target = reserve(96);
    const negative = (event[at]! & 0x80) === 0;
    const mask = negative ? 0xff : 0;
    let p = at;
    // Index 0 is left for the sign.
    let out = 1;
    let signBit = 0x80;
    if (this.#firstBytes > 0) {
      const value = group(event, p, this.#firstBytes, mask) - signBit * 256 ** (this.#firstBytes - 1);
      out = writePadded(target, out, value, this.#firstDigits);
      signBit = 0;
      p += this.#firstBytes;
    }
    for (let i = 0; i < this.#integerGroups; i++) {
      out = writePadded(target, out, group(event, p, 4, mask) - signBit * 0x1000000, 9);
      signBit = 0;
      p += 4;
    }
    // Zeros in front go, but the last digit before the point stays.
    let start = 1;
    if (out === 1) target[out++] = 48;
    while (start < out - 1 && target[start] === 48) start++;
    if (this.#scale > 0) {
      target[out++] = 46;
      for (let i = 0; i < this.#scaleGroups; i++) {
        out = writePadded(target, out, group(event, p, 4, mask) - signBit * 0x1000000, 9);
        signBit = 0;
        p += 4;
      }
      if (this.#lastBytes > 0) {
        const value = group(event, p, this.#lastBytes, mask) - signBit * 256 ** (this.#lastBytes - 1);
        out = writePadded(target, out, value, this.#lastDigits);
        p += this.#lastBytes;
      }
    }
    if (negative) target[--start] = 45;
    this.start = start;
    this.end = out;
    this.next = p;
  }
}

export function packedDecimal(precision: number, scale: number): BinaryReader {
  const packed = new PackedDecimal(precision, scale);
  return (event, at, to) => {
    packed.write(event, at);
    to.decimal(scratch.buffer, packed.start, packed.end);
    return packed.next;
  };
}

/** The same as a string, for decimals inside of JSON documents. */
export function packedDecimalText(precision: number, scale: number, source: Buffer, at: number): string {
  const packed = new PackedDecimal(precision, scale);
  packed.write(source, at);
  return scratch.buffer.toString('latin1', packed.start, packed.end);
}
