// Row images of one table map, walked column by column straight into a writer. Made once per table map; holds no state of a row.
import type { ValueWriter } from '../../core/row-encoder.js';
import { binaryReader, skipValue } from './binary-reader.js';
import type { BinaryReader } from './wire-type.js';
import type { TableMap } from './table-map.js';

export class RowDecoder {
  readonly columnCount: number;
  readonly #bitmapBytes: number;
  /** Null for columns that are left out. */
  readonly #readers: readonly (BinaryReader | null)[];
  readonly #sizes: Int32Array;
  /** Column indexes of the table map, in key order. */
  readonly #keyColumns: readonly number[];
  /** Where the key columns of the row at hand begin. */
  readonly #keyAt: Int32Array;
  /** Place in the key by column, -1 for the others. */
  readonly #keyPlace: Int32Array;

  /** `captured`: by column of the table map, false for those left out. */
  constructor(map: TableMap, captured: readonly boolean[]) {
    this.columnCount = map.columns.length;
    this.#bitmapBytes = (this.columnCount + 7) >> 3;
    this.#readers = map.columns.map((column, i) =>
      captured[i] ? binaryReader(column, `${map.database}.${map.table}.${column.name}`) : null,
    );
    this.#sizes = Int32Array.from(map.columns, (column) => column.size);
    this.#keyColumns = map.keyColumns;
    this.#keyAt = new Int32Array(map.keyColumns.length);
    this.#keyPlace = Int32Array.from(map.columns, (_, i) => map.keyColumns.indexOf(i));
  }

  /** All captured columns of the image at `at`, in order; returns the offset behind it. */
  readRow(event: Buffer, at: number, to: ValueWriter): number {
    const readers = this.#readers;
    let p = at + this.#bitmapBytes;
    for (let i = 0; i < readers.length; i++) {
      const isNull = (event[at + (i >> 3)]! & (1 << (i & 7))) !== 0;
      const read = readers[i]!;
      if (read === null) {
        if (!isNull) p = skipValue(event, p, this.#sizes[i]!);
      } else if (isNull) {
        to.null();
      } else {
        p = read(event, p, to);
      }
    }
    return p;
  }

  /** The key columns of the image at `at`, in key order; returns the offset behind the image. */
  readKey(event: Buffer, at: number, to: ValueWriter): number {
    const sizes = this.#sizes;
    let p = at + this.#bitmapBytes;
    for (let i = 0; i < sizes.length; i++) {
      if ((event[at + (i >> 3)]! & (1 << (i & 7))) !== 0) continue;
      const place = this.#keyPlace[i]!;
      if (place >= 0) this.#keyAt[place] = p;
      p = skipValue(event, p, sizes[i]!);
    }
    // Key columns are NOT NULL, and they cannot be left out.
    for (let k = 0; k < this.#keyColumns.length; k++) {
      this.#readers[this.#keyColumns[k]!]!(event, this.#keyAt[k]!, to);
    }
    return p;
  }

  /** Steps over the image at `at`. */
  skipRow(event: Buffer, at: number): number {
    const sizes = this.#sizes;
    let p = at + this.#bitmapBytes;
    for (let i = 0; i < sizes.length; i++) {
      if ((event[at + (i >> 3)]! & (1 << (i & 7))) === 0) p = skipValue(event, p, sizes[i]!);
    }
    return p;
  }
}
