// Whole numbers as decimal digits, written straight into bytes. Callers reserve the room: 24 bytes hold any 64-bit number.

/** Writes a safe integer; returns the place behind it. */
export function putInteger(bytes: Uint8Array, at: number, value: number): number {
  let p = at;
  let v = value;
  if (v < 0) {
    bytes[p++] = 45;
    v = -v;
  }
  if (v < 1e9) return putSmall(bytes, p, v);
  const high = Math.floor(v / 1e9);
  return putPadded(bytes, putSmall(bytes, p, high), v - high * 1e9, 9);
}

/** A number of up to 2^31 - 1, not negative, without leading zeros. */
function putSmall(bytes: Uint8Array, at: number, value: number): number {
  let v = value | 0;
  if (v < 10) {
    bytes[at] = 48 + v;
    return at + 1;
  }
  const end =
    at +
    (v < 100000
      ? v < 1000
        ? v < 100
          ? 2
          : 3
        : v < 10000
          ? 4
          : 5
      : v < 10000000
        ? v < 1000000
          ? 6
          : 7
        : v < 100000000
          ? 8
          : v < 1000000000
            ? 9
            : 10);
  for (let p = end - 1; p >= at; p--) {
    const q = (v / 10) | 0;
    bytes[p] = 48 + (v - q * 10);
    v = q;
  }
  return end;
}

/** A number below 2^31 with leading zeros to `width` digits. */
function putPadded(bytes: Uint8Array, at: number, value: number, width: number): number {
  let v = value | 0;
  for (let p = at + width - 1; p >= at; p--) {
    const q = (v / 10) | 0;
    bytes[p] = 48 + (v - q * 10);
    v = q;
  }
  return at + width;
}

/** Writes high * 2^32 + low (low unsigned, high signed); returns the place behind it. */
export function putInt64(bytes: Uint8Array, at: number, high: number, low: number): number {
  // Within 2^53 both products are exact.
  if (high >= -0x200000 && high < 0x200000) return putInteger(bytes, at, high * 0x100000000 + low);
  return putAscii(bytes, at, int64(high, low).toString());
}

/** Text that is known to be ASCII; returns the place behind it. A call into the runtime costs as much as some 60 characters. */
export function putAscii(bytes: Uint8Array, at: number, text: string): number {
  let p = at;
  for (let i = 0; i < text.length; i++) bytes[p++] = text.charCodeAt(i);
  return p;
}

export function int64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) + BigInt(low);
}
