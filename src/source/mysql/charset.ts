// Text to UTF-8. utf8mb4 and utf8mb3 are UTF-8 already; MySQL's latin1 is Windows-1252 with the five holes filled by the control
// characters of the same number, as the server itself converts it; UTF-16 and UTF-32 are computed. Every other character set has
// a table that the server itself has given (charset-tables.ts), since the servers' mappings are neither each other's nor WHATWG's.
import type { ValueWriter } from '../../core/row-encoder.js';
import { reserve } from './scratch.js';
import { unconvertible } from './unconvertible.js';

/** Hands text to the writer as UTF-8. */
export type TextWriter = (source: Buffer, start: number, end: number, to: ValueWriter) => void;

/** Which bytes are a character, and which one. */
export interface CharsetTable {
  /** By byte: the code point, `unmapped`, or `absent` where it is no character of its own. */
  readonly single: Uint32Array;
  /** 1: characters of several bytes begin with this one. */
  readonly leads: Uint8Array;
  /** By two bytes, the first one high. */
  readonly double: Uint32Array | undefined;
  /** By the two bytes behind 0x8F, where that leads three (EUC). */
  readonly triple: Uint32Array | undefined;
  /** Characters of four bytes by their number in the order of GB 18030, up to the last one that is in a table. */
  readonly quad: Uint32Array | undefined;
  /** Every byte below 0x80 is the ASCII character. */
  readonly asciiIsItself: boolean;
}

/** A character of the set for which Unicode has none: the server shows a question mark. */
export const unmapped = 0xffff_fffe;
export const absent = 0xffff_ffff;
const question = 0x3f;

/** Character sets that need no table. */
export const computed: ReadonlySet<string> = new Set([
  'utf8mb4',
  'utf8mb3',
  'latin1',
  'ucs2',
  'utf16',
  'utf16le',
  'utf32',
]);

export interface TextPlace {
  /** database.table.column, for errors. */
  readonly where: string;
  /** Of a key column: characters that would all be the same question mark are refused, since rows would fall into one. */
  readonly isKey: boolean;
}

/** `table`: that of the character set, where it has one. */
export function textWriter(charset: string, table: CharsetTable | undefined, place: TextPlace): TextWriter {
  switch (charset) {
    case 'utf8mb4':
    case 'utf8mb3':
      return (source, start, end, to) => to.utf8(source, start, end);
    case 'latin1':
      return latin1;
    case 'ucs2':
      return units(2, place, (source, at) => source.readUInt16BE(at));
    case 'utf16':
      return units(2, place, (source, at, end) =>
        pair(source.readUInt16BE(at), at + 4 > end ? 0 : source.readUInt16BE(at + 2)),
      );
    case 'utf16le':
      return units(2, place, (source, at, end) =>
        pair(source.readUInt16LE(at), at + 4 > end ? 0 : source.readUInt16LE(at + 2)),
      );
    case 'utf32':
      return units(4, place, (source, at) => source.readUInt32BE(at));
    default:
      return tableWriter(table!, place);
  }
}

/** Whole text as UTF-8 bytes of its own. */
export function toUtf8(bytes: Buffer, charset: string, table: CharsetTable | undefined, where: string): Buffer {
  let result = Buffer.alloc(0);
  const take = {
    utf8: (source: Buffer, start: number, end: number) => (result = Buffer.from(source.subarray(start, end))),
  };
  textWriter(charset, table, { where, isKey: false })(bytes, 0, bytes.length, take as unknown as ValueWriter);
  return result;
}

const from0x80 = [
  0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d,
  0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,
  0x017e, 0x0178,
] as const;

function latin1(source: Buffer, start: number, end: number, to: ValueWriter): void {
  let at = start;
  while (at < end && source[at]! < 0x80) at++;
  if (at === end) return to.utf8(source, start, end);
  const target = reserve((end - start) * 3);
  let out = source.copy(target, 0, start, at);
  for (; at < end; at++) {
    const byte = source[at]!;
    out = putCodePoint(target, out, byte >= 0x80 && byte < 0xa0 ? from0x80[byte - 0x80]! : byte);
  }
  to.utf8(target, 0, out);
}

/** The character of a pair of surrogates, else the first one. */
function pair(first: number, second: number): number {
  if (first < 0xd800 || first > 0xdbff || second < 0xdc00 || second > 0xdfff) return first;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

function units(
  width: 2 | 4,
  { where }: TextPlace,
  read: (source: Buffer, at: number, end: number) => number,
): TextWriter {
  return (source, start, end, to) => {
    if ((end - start) % width !== 0)
      throw unconvertible(where, 'it ends in the middle of a character', source, start, end);
    const target = reserve(((end - start) / width) * 4);
    let out = 0;
    for (let at = start; at < end; at += width) {
      const code = read(source, at, end);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        throw unconvertible(where, `0x${code.toString(16)} is no character`, source, start, end);
      if (width === 2 && code > 0xffff) at += 2;
      out = putCodePoint(target, out, code);
    }
    to.utf8(target, 0, out);
  };
}

const manyKeysOneText = 'a character of it is not in Unicode, and other keys would become the same text';

function tableWriter(table: CharsetTable, { where, isKey }: TextPlace): TextWriter {
  const { single, asciiIsItself } = table;
  return (source, start, end, to) => {
    let at = start;
    if (asciiIsItself) {
      while (at < end && source[at]! < 0x80) at++;
      if (at === end) return to.utf8(source, start, end);
    }
    // Two bytes give three at most, one gives three, four give four.
    const target = reserve((end - start) * 3);
    let out = source.copy(target, 0, start, at);
    while (at < end) {
      let code = single[source[at]!]!;
      let width = 1;
      if (code === absent) {
        width = widthAt(table, source, at, end);
        if (width > 0) {
          code = longCode(table, source, at, width);
        } else {
          // As the server converts it: a byte that begins no character is passed over, and a character that is cut off is none.
          if (isCutOff(table, source, at, end))
            throw unconvertible(where, 'it ends in the middle of a character', source, start, end);
          code = unmapped;
          width = 1;
        }
      }
      if (code === unmapped) {
        if (isKey) throw unconvertible(where, manyKeysOneText, source, start, end);
        code = question;
      }
      out = putCodePoint(target, out, code);
      at += width;
    }
    to.utf8(target, 0, out);
  };
}

/** Bytes of the character of more than one byte at `at`; 0: there is none. */
function widthAt({ double, triple, quad }: CharsetTable, source: Buffer, at: number, end: number): number {
  const left = end - at;
  if (double && left >= 2 && double[(source[at]! << 8) | source[at + 1]!] !== absent) return 2;
  if (triple && left >= 3 && source[at] === 0x8f && triple[(source[at + 1]! << 8) | source[at + 2]!] !== absent)
    return 3;
  if (quad && left >= 4 && isQuad(source, at)) return 4;
  return 0;
}

/** More bytes have to follow than there are. */
function isCutOff({ leads, triple, quad }: CharsetTable, source: Buffer, at: number, end: number): boolean {
  if (leads[source[at]!] === 0) return false;
  const isTriple = triple !== undefined && source[at] === 0x8f;
  const isQuadStart = quad !== undefined && end - at > 1 && source[at + 1]! >= 0x30 && source[at + 1]! <= 0x39;
  return end - at < (isQuadStart ? 4 : isTriple ? 3 : 2);
}

function longCode({ double, triple, quad }: CharsetTable, source: Buffer, at: number, width: number): number {
  if (width === 2) return double![(source[at]! << 8) | source[at + 1]!]!;
  if (width === 3) return triple![(source[at + 1]! << 8) | source[at + 2]!]!;
  const number = quadNumber(source[at]!, source[at + 1]!, source[at + 2]!, source[at + 3]!);
  if (number < quad!.length) return quad![number]!;
  const code = number - firstSupplementary + 0x10000;
  return code >= 0x10000 && code <= 0x10ffff ? code : unmapped;
}

function isQuad(source: Buffer, at: number): boolean {
  const [a, b, c, d] = [source[at]!, source[at + 1]!, source[at + 2]!, source[at + 3]!];
  return a >= 0x81 && a <= 0xfe && b >= 0x30 && b <= 0x39 && c >= 0x81 && c <= 0xfe && d >= 0x30 && d <= 0x39;
}

/** Where a character of four bytes stands in GB 18030, whose planes above the first lie in order behind 90 30 81 30. */
export function quadNumber(a: number, b: number, c: number, d: number): number {
  return (((a - 0x81) * 10 + (b - 0x30)) * 126 + (c - 0x81)) * 10 + (d - 0x30);
}

const firstSupplementary = quadNumber(0x90, 0x30, 0x81, 0x30);

export function putCodePoint(target: Buffer, at: number, code: number): number {
  let out = at;
  if (code < 0x80) {
    target[out++] = code;
  } else if (code < 0x800) {
    target[out++] = 0xc0 | (code >> 6);
    target[out++] = 0x80 | (code & 0x3f);
  } else if (code < 0x10000) {
    target[out++] = 0xe0 | (code >> 12);
    target[out++] = 0x80 | ((code >> 6) & 0x3f);
    target[out++] = 0x80 | (code & 0x3f);
  } else {
    target[out++] = 0xf0 | (code >> 18);
    target[out++] = 0x80 | ((code >> 12) & 0x3f);
    target[out++] = 0x80 | ((code >> 6) & 0x3f);
    target[out++] = 0x80 | (code & 0x3f);
  }
  return out;
}
