// UTF-8 without trust: bytes that come from a database or from a foreign topic may be anything, and what writethrough writes is
// always well formed.
import { isUtf8 } from 'node:buffer';

/** Length of the well-formed sequence of two to four bytes at `at`, 0 when it is none (overlong, surrogate, cut, too high). */
export function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (first < 0xc2) return 0;
  const second = at + 1 < end ? bytes[at + 1]! : 0;
  if ((second & 0xc0) !== 0x80) return 0;
  if (first < 0xe0) return 2;
  const third = at + 2 < end ? bytes[at + 2]! : 0;
  if ((third & 0xc0) !== 0x80) return 0;
  if (first < 0xf0) {
    if (first === 0xe0 && second < 0xa0) return 0;
    return first === 0xed && second > 0x9f ? 0 : 3;
  }
  const fourth = at + 3 < end ? bytes[at + 3]! : 0;
  if ((fourth & 0xc0) !== 0x80 || first > 0xf4) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  return first === 0xf4 && second > 0x8f ? 0 : 4;
}

/** The text of a range, undefined when it is not well-formed UTF-8. */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('utf8', start, end);
  // Only a result with U+FFFD can come from bad bytes, so good text is not checked twice.
  return text.includes('�') && !isUtf8(bytes.subarray(start, end)) ? undefined : text;
}

/** Up to 32 bytes as hex, for messages. */
export function excerpt(bytes: Uint8Array, start: number, end: number): string {
  const shown = Buffer.from(bytes.subarray(start, Math.min(end, start + 32))).toString('hex');
  return end - start > 32 ? `${shown}... (${end - start} bytes)` : shown;
}
