// Text to UTF-8. Three of the four character sets are UTF-8 already; MySQL's latin1 is Windows-1252 with the five holes filled by
// the control characters of the same number, as the server itself converts it.
import type { ValueWriter } from '../../core/row-encoder.js';
import type { TextCharset } from './column-form.js';
import { reserve } from './scratch.js';

const from0x80 = [
  0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d,
  0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,
  0x017e, 0x0178,
] as const;

/** Hands text in `charset` to the writer as UTF-8. */
export type TextWriter = (source: Buffer, start: number, end: number, to: ValueWriter) => void;

function utf8(source: Buffer, start: number, end: number, to: ValueWriter): void {
  to.utf8(source, start, end);
}

function latin1(source: Buffer, start: number, end: number, to: ValueWriter): void {
  let at = start;
  while (at < end && source[at]! < 0x80) at++;
  if (at === end) return to.utf8(source, start, end);
  const target = reserve((end - start) * 3);
  let out = source.copy(target, 0, start, at);
  for (; at < end; at++) {
    const byte = source[at]!;
    const code = byte >= 0x80 && byte < 0xa0 ? from0x80[byte - 0x80]! : byte;
    if (code < 0x80) {
      target[out++] = code;
    } else if (code < 0x800) {
      target[out++] = 0xc0 | (code >> 6);
      target[out++] = 0x80 | (code & 0x3f);
    } else {
      target[out++] = 0xe0 | (code >> 12);
      target[out++] = 0x80 | ((code >> 6) & 0x3f);
      target[out++] = 0x80 | (code & 0x3f);
    }
  }
  to.utf8(target, 0, out);
}

export function textWriter(charset: TextCharset): TextWriter {
  return charset === 'latin1' ? latin1 : utf8;
}

/** Whole label as UTF-8 bytes of its own. */
export function toUtf8(bytes: Buffer, charset: TextCharset): Buffer {
  if (charset !== 'latin1') return Buffer.from(bytes);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte >= 0x80 && byte < 0xa0 ? from0x80[byte - 0x80]! : byte);
  return Buffer.from(text, 'utf8');
}
