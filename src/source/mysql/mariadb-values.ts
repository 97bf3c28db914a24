// MariaDB's own types as they lie in the binlog: UUID and addresses as BINARY(n) without the zeros at the end, columns with
// COMPRESSED behind a header, and their text as the server prints it.
import { inflateRawSync, inflateSync } from 'node:zlib';
import { unconvertible } from './unconvertible.js';

/** A value of `width` bytes whose zeros at the end are left out. */
export function wholeBytes(source: Buffer, start: number, end: number, width: number): Buffer {
  const whole = Buffer.alloc(width);
  source.copy(whole, 0, start, end);
  return whole;
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function inet4Text(bytes: Buffer): string {
  return bytes.join('.');
}

/** The longest run of zeros is cut out, one alone too; what is an IPv4 address in IPv6 ends as one. */
export function inet6Text(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  let gap = { at: -1, length: 0 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (words[i + length] === 0) length++;
    if (length > gap.length) gap = { at: i, length };
    i += length;
  }
  const isIpv4 = gap.at === 0 && (gap.length === 6 || (gap.length === 5 && words[5] === 0xffff));
  const last = isIpv4 ? [inet4Text(bytes.subarray(12))] : words.slice(6).map((word) => word.toString(16));
  const texts = [...words.slice(0, 6).map((word) => word.toString(16)), ...last];
  if (gap.at < 0) return texts.join(':');
  return `${texts.slice(0, gap.at).join(':')}::${texts.slice(gap.at + gap.length).join(':')}`;
}

const zlibMethod = 8;

/** The content of a compressed column: a byte that says how, the length in a few bytes, the stream of zlib. */
export function decompress(source: Buffer, start: number, end: number, where: string): Buffer {
  if (start === end) return source.subarray(start, end);
  const header = source[start]!;
  const method = header >> 4;
  if (method === 0) return source.subarray(start + 1, end);
  const lengthBytes = header & 7;
  const from = start + 1 + lengthBytes;
  if (method !== zlibMethod || lengthBytes === 0 || lengthBytes > 4 || from > end)
    throw unconvertible(where, 'it is compressed in an unknown way', source, start, end);
  const length = source.readUIntBE(start + 1, lengthBytes);
  try {
    const inflate = (header & 8) === 0 ? inflateSync : inflateRawSync;
    const content = inflate(source.subarray(from, end), { maxOutputLength: Math.max(1, length) });
    if (content.length === length) return content;
  } catch {
    // Told below, with the bytes.
  }
  throw unconvertible(where, `it does not decompress to its ${length} bytes`, source, start, end);
}
