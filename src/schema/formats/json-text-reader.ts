// The text of one JSON string inside a record's bytes, made with as few calls as possible: the record becomes a JavaScript
// string once (one call into the engine costs as much as scanning 60 bytes), and plain ASCII strings are slices of it.
import { decodeUtf8 } from './utf8.js';

export class JsonTextReader {
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** The whole record as Latin-1: the same as its text wherever the bytes are ASCII. */
  #record: string | undefined;
  #scratch = Buffer.alloc(1024);
  /** Behind the closing quote of the string that `read` gave. */
  next = 0;

  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#record = undefined;
  }

  /** The string whose content begins at `from`, behind its quote; undefined when it is not well formed. */
  read(from: number): string | undefined {
    const bytes = this.#bytes;
    const end = this.#end;
    let high = 0;
    let p = from;
    for (; p < end; p++) {
      const c = bytes[p]!;
      if (c === 34) break;
      if (c === 92) return this.#readEscaped(from, p);
      if (c < 32) return undefined;
      high |= c;
    }
    if (p >= end) return undefined;
    this.next = p + 1;
    if (high > 127) return decodeUtf8(bytes, from, p);
    // Held by the engine as a slice, so the record's text lives as long as the value.
    this.#record ??= bytes.toString('latin1', this.#start, end);
    return this.#record.substring(from - this.#start, p - this.#start);
  }

  #readEscaped(from: number, firstEscape: number): string | undefined {
    const bytes = this.#bytes;
    const end = this.#end;
    if (this.#scratch.length < end - from) this.#scratch = Buffer.alloc((end - from) * 2);
    const scratch = this.#scratch;
    let o = 0;
    for (let i = from; i < firstEscape; i++) {
      const c = bytes[i]!;
      if (c > 127) return this.#readSlowly(from, firstEscape);
      scratch[o++] = c;
    }
    for (let p = firstEscape; p < end; p++) {
      const c = bytes[p]!;
      if (c === 34) {
        this.next = p + 1;
        return scratch.toString('latin1', 0, o);
      }
      if (c === 92) {
        const letter = unescaped[bytes[++p] ?? 0]!;
        if (letter === 0) return this.#readSlowly(from, p - 1);
        scratch[o++] = letter;
      } else if (c > 127) return this.#readSlowly(from, p);
      else if (c < 32) return undefined;
      else scratch[o++] = c;
    }
    return undefined;
  }

  /** \u escapes and characters beyond ASCII in one string: JSON.parse on that string alone. `at` is not inside an escape. */
  #readSlowly(from: number, at: number): string | undefined {
    const bytes = this.#bytes;
    let p = at;
    for (; p < this.#end; p++) {
      const c = bytes[p]!;
      if (c === 34) break;
      if (c === 92) p++;
    }
    if (p >= this.#end) return undefined;
    const text = decodeUtf8(bytes, from - 1, p + 1);
    if (text === undefined) return undefined;
    this.next = p + 1;
    try {
      return JSON.parse(text) as string;
    } catch {
      // The full parser meets the same string next and says what is wrong with it.
      return undefined;
    }
  }
}

const unescaped = new Uint8Array(256);
for (const [letter, code] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, '\\': 92, '/': 47 }))
  unescaped[letter.charCodeAt(0)] = code;
