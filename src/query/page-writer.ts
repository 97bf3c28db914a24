// Printed texts as pages of bytes, outside the heap: a long answer crosses to the main thread without being copied, and is counted while it
// grows. A text lies in one page, which is made as long as it needs.
import { createHash } from 'node:crypto';

const firstPageBytes = 8 * 1024;
const pageBytes = 256 * 1024;
/** Of a UTF-16 unit in UTF-8, at most. */
const unitBytesMax = 3;

export class PageWriter {
  readonly #pages: Uint8Array<ArrayBuffer>[] = [];
  readonly #ends: Uint32Array<ArrayBuffer>[] = [];
  readonly #onPage: (bytes: number) => void;
  #page = Buffer.alloc(0);
  #at = 0;
  #marks: number[] = [];

  /** `onPage` is told the size of each page before it is made, and may refuse it. */
  constructor(onPage: (bytes: number) => void) {
    this.#onPage = onPage;
  }

  /** Gives the bytes of the text. */
  append(text: string): number {
    if (text.length * unitBytesMax > this.#page.length - this.#at) {
      const bytes = Buffer.byteLength(text);
      if (bytes > this.#page.length - this.#at) this.#turn(bytes);
    }
    const written = this.#page.write(text, this.#at);
    this.#at += written;
    return written;
  }

  /** A row ends here. */
  mark(): void {
    this.#marks.push(this.#at);
  }

  finish(): readonly WrittenPage[] {
    this.#close();
    return this.#pages.map((bytes, i) => ({ bytes, ends: this.#ends[i]! }));
  }

  #turn(bytes: number): void {
    this.#close();
    const size = Math.max(bytes, this.#pages.length === 0 ? firstPageBytes : pageBytes);
    this.#onPage(size);
    // Not of Node's pool, which cannot be handed over.
    this.#page = Buffer.allocUnsafeSlow(size) as Buffer<ArrayBuffer>;
  }

  #close(): void {
    if (this.#at > 0 || this.#marks.length > 0) {
      this.#pages.push(this.#page.subarray(0, this.#at));
      this.#ends.push(Uint32Array.from(this.#marks));
    }
    this.#at = 0;
    this.#marks = [];
  }
}

export interface WrittenPage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the rows in it end. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** As an ETag header has it. */
export function etagOf(pages: readonly WrittenPage[]): string {
  const hash = createHash('sha1');
  for (const { bytes } of pages) hash.update(bytes);
  return `"${hash.digest('base64url')}"`;
}
