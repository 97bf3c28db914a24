// Bytes in passing: values that must be written somewhere before a writer copies them (digits of a decimal, converted text, JSON
// text). One buffer per thread, grown when needed; what a function returns is valid until the next call of any of them.

export const scratch = { buffer: Buffer.allocUnsafe(1 << 16) };

/** Room for `size` bytes; earlier content up to `keep` bytes is kept. */
export function reserve(size: number, keep = 0): Buffer {
  if (scratch.buffer.length < size) {
    const larger = Buffer.allocUnsafe(Math.max(size, scratch.buffer.length * 2));
    if (keep > 0) scratch.buffer.copy(larger, 0, 0, keep);
    scratch.buffer = larger;
  }
  return scratch.buffer;
}

/** Writes a whole number 0 <= value < 2^53 as ASCII digits; returns the end. */
export function writeDigits(target: Buffer, at: number, value: number): number {
  let count = 1;
  for (let rest = value; rest >= 10; rest = Math.trunc(rest / 10)) count++;
  return writePadded(target, at, value, count);
}

/** Writes exactly `width` digits, zeros in front. */
export function writePadded(target: Buffer, at: number, value: number, width: number): number {
  let rest = value;
  for (let p = at + width - 1; p >= at; p--) {
    const next = Math.trunc(rest / 10);
    target[p] = 48 + (rest - next * 10);
    rest = next;
  }
  return at + width;
}
