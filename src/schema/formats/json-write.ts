// JSON text, byte by byte, into a ByteWriter: what the row encoder and the value encoder share, so that both write the same
// bytes for the same value. Strings are escaped as JSON.stringify does it; numbers keep their digits.
import type { ByteWriter } from '../../core/bytes.js';
import { sequenceLength } from './utf8.js';

/** 0: the byte stands for itself. 1: \u00xx. 2: part of a multi-byte sequence. Else the letter behind the backslash. */
const escapes = new Uint8Array(256);
escapes.fill(1, 0, 32);
escapes.fill(2, 128);
for (const [letter, code] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, '\\': 92 }))
  escapes[code] = letter.charCodeAt(0);

const hexDigits = Buffer.from('0123456789abcdef');
const base64Digits = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** Writes a quoted string from UTF-8 bytes. False (and nothing is promised about the output) when they are not well formed. */
export function writeUtf8(out: ByteWriter, source: Uint8Array, start: number, end: number): boolean {
  out.reserve(end - start + 2);
  let bytes = out.buffer;
  let p = out.length;
  bytes[p++] = 34;
  for (let i = start; i < end; i++) {
    const c = source[i]!;
    const escape = escapes[c]!;
    if (escape === 0) {
      bytes[p++] = c;
      continue;
    }
    if (escape === 2) {
      const length = sequenceLength(source, i, end);
      if (length === 0) return false;
      bytes[p] = c;
      for (let k = 1; k < length; k++) bytes[p + k] = source[i + k]!;
      p += length;
      i += length - 1;
      continue;
    }
    // The rest was reserved at one byte each; an escape needs up to five more.
    if (p + 8 + (end - i) > bytes.length) {
      out.length = p;
      out.reserve((end - i) * 2 + 16);
      bytes = out.buffer;
    }
    p = putEscape(bytes, p, c, escape);
  }
  bytes[p++] = 34;
  out.length = p;
  return true;
}

function putEscape(bytes: Uint8Array, at: number, code: number, escape: number): number {
  bytes[at] = 92;
  if (escape !== 1) {
    bytes[at + 1] = escape;
    return at + 2;
  }
  return putUnicodeEscape(bytes, at, code);
}

function putUnicodeEscape(bytes: Uint8Array, at: number, code: number): number {
  bytes[at] = 92;
  bytes[at + 1] = 117;
  bytes[at + 2] = hexDigits[code >> 12]!;
  bytes[at + 3] = hexDigits[(code >> 8) & 15]!;
  bytes[at + 4] = hexDigits[(code >> 4) & 15]!;
  bytes[at + 5] = hexDigits[code & 15]!;
  return at + 6;
}

/** Writes a quoted string. A lone surrogate has no UTF-8 form and is written as its \u escape, which reads back. */
export function writeString(out: ByteWriter, text: string): void {
  // Six bytes are the most that a UTF-16 unit can take.
  out.reserve(text.length * 6 + 2);
  const bytes = out.buffer;
  let p = out.length;
  bytes[p++] = 34;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 128) {
      const escape = escapes[c]!;
      if (escape === 0) bytes[p++] = c;
      else p = putEscape(bytes, p, c, escape);
    } else if (c < 0x800) {
      bytes[p++] = 0xc0 | (c >> 6);
      bytes[p++] = 0x80 | (c & 63);
    } else if (c < 0xd800 || c > 0xdfff) {
      bytes[p++] = 0xe0 | (c >> 12);
      bytes[p++] = 0x80 | ((c >> 6) & 63);
      bytes[p++] = 0x80 | (c & 63);
    } else {
      const point = text.codePointAt(i)!;
      if (point < 0x10000) p = putUnicodeEscape(bytes, p, c);
      else {
        bytes[p++] = 0xf0 | (point >> 18);
        bytes[p++] = 0x80 | ((point >> 12) & 63);
        bytes[p++] = 0x80 | ((point >> 6) & 63);
        bytes[p++] = 0x80 | (point & 63);
        i++;
      }
    }
  }
  bytes[p++] = 34;
  out.length = p;
}

/** A DOUBLE as JSON: always recognisable as one (fraction or exponent), shortest form that reads back; ksqlDB's strings else. */
export function doubleText(value: number): string {
  if (Number.isInteger(value)) {
    if (Object.is(value, -0)) return '-0.0';
    const text = String(value);
    return text.includes('e') ? text : `${text}.0`;
  }
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** A quoted string of base64 with padding. */
export function writeBase64(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  out.reserve((Math.floor((end - start + 2) / 3) << 2) + 2);
  const bytes = out.buffer;
  let p = out.length;
  bytes[p++] = 34;
  let i = start;
  for (; i + 2 < end; i += 3) {
    const group = (source[i]! << 16) | (source[i + 1]! << 8) | source[i + 2]!;
    bytes[p++] = base64Digits[group >> 18]!;
    bytes[p++] = base64Digits[(group >> 12) & 63]!;
    bytes[p++] = base64Digits[(group >> 6) & 63]!;
    bytes[p++] = base64Digits[group & 63]!;
  }
  if (i < end) {
    const two = i + 1 < end;
    const group = (source[i]! << 16) | (two ? source[i + 1]! << 8 : 0);
    bytes[p++] = base64Digits[group >> 18]!;
    bytes[p++] = base64Digits[(group >> 12) & 63]!;
    bytes[p++] = two ? base64Digits[(group >> 6) & 63]! : 61;
    bytes[p++] = 61;
  }
  bytes[p++] = 34;
  out.length = p;
}
