// CRC-32C (Castagnoli), the checksum of Kafka's record batches. Eight bytes a step through eight tables: about four times as
// fast as one table, and every byte that is produced goes through it. (Node's own zlib.crc32 is another polynomial.)

const tables: readonly Int32Array[] = makeTables();

function makeTables(): Int32Array[] {
  const all = Array.from({ length: 8 }, () => new Int32Array(256));
  const first = all[0]!;
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    first[i] = crc;
  }
  for (let t = 1; t < 8; t++) {
    for (let i = 0; i < 256; i++) {
      const before = all[t - 1]![i]!;
      all[t]![i] = (before >>> 8) ^ first[before & 0xff]!;
    }
  }
  return all;
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** Of `buffer` from `start` up to `end`; unsigned. */
export function crc32c(buffer: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let i = start;
  for (const wide = end - 7; i < wide; i += 8) {
    crc ^= buffer[i]! | (buffer[i + 1]! << 8) | (buffer[i + 2]! << 16) | (buffer[i + 3]! << 24);
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[buffer[i + 4]!]! ^
      t2[buffer[i + 5]!]! ^
      t1[buffer[i + 6]!]! ^
      t0[buffer[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t0[(crc ^ buffer[i]!) & 0xff]!;
  return ~crc >>> 0;
}
