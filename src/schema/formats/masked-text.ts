// What stands for a text that is not to be read: its hash, as Debezium writes it, or its beginning.
import { createHash } from 'node:crypto';

export interface TextHash {
  readonly algorithm: string;
  readonly salt: string;
  /** Of the text as Java serializes it as an object (Debezium's first version), not of its UTF-8. */
  readonly ofObject: boolean;
}

/** In hexadecimal digits, the salt in front of the text. */
export function hashOf(text: string, { algorithm, salt, ofObject }: TextHash): string {
  return createHash(algorithm)
    .update(salt)
    .update(ofObject ? javaObject(text) : text)
    .digest('hex');
}

/** So many UTF-16 units of it, and no half of a character. */
export function beginningOf(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

const streamHeader = [0xac, 0xed, 0x00, 0x05];
const shortText = 0x74;
const longText = 0x7c;

/** The stream of Java's object serialization that holds this text alone. */
function javaObject(text: string): Buffer {
  const bytes = modifiedUtf8(text);
  const head = Buffer.alloc(bytes.length > 0xffff ? 13 : 7);
  head.set(streamHeader);
  if (bytes.length > 0xffff) {
    head[4] = longText;
    head.writeBigUInt64BE(BigInt(bytes.length), 5);
  } else {
    head[4] = shortText;
    head.writeUInt16BE(bytes.length, 5);
  }
  return Buffer.concat([head, bytes]);
}

/** UTF-8 of each UTF-16 unit, with NUL in two bytes. */
function modifiedUtf8(text: string): Buffer {
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit !== 0 && unit < 0x80) out.push(unit);
    else if (unit < 0x800) out.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else out.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(out);
}
