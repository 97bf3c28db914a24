// A growing buffer and the place where the next byte goes. The hot writers reserve room once per value and then store bytes
// through `bytes` and `pos` directly; whoever calls `reserve` must take `bytes` afresh afterwards.

export class ByteWriter {
  bytes: Buffer<ArrayBuffer>;
  pos = 0;

  constructor(capacity: number) {
    this.bytes = standalone(capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.pos + count > this.bytes.length) this.grow(this.pos + count);
  }

  private grow(needed: number): void {
    const larger = standalone(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.pos);
    this.bytes = larger;
  }

  /** Appends a range of another buffer. */
  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    const bytes = this.bytes;
    let p = this.pos;
    // A call of Buffer.copy costs about as much as a loop over 60 bytes.
    if (end - start > 60) {
      bytes.set(source.subarray(start, end), p);
      p += end - start;
    } else {
      for (let i = start; i < end; i++) bytes[p++] = source[i]!;
    }
    this.pos = p;
  }

  /** Appends text that is known to be ASCII. */
  ascii(text: string): void {
    this.reserve(text.length);
    const bytes = this.bytes;
    let p = this.pos;
    for (let i = 0; i < text.length; i++) bytes[p++] = text.charCodeAt(i);
    this.pos = p;
  }

  /** A copy of what was written since `start`, which is then forgotten. */
  takeFrom(start: number): Buffer {
    const taken = Buffer.allocUnsafe(this.pos - start);
    this.bytes.copy(taken, 0, start, this.pos);
    this.pos = start;
    return taken;
  }
}

/** A buffer that owns its memory, so that it can be transferred to another thread. */
export function standalone(size: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(size);
}
