// Row images of one table map, walked column by column straight into a writer. Made once per table map; holds no state of a row.
import type { ValueWriter } from '../../core/row-encoder.js';
import { binaryReader, skipValue } from './binary-reader.js';
import type { CharsetTables } from './charset-tables.js';
import { KeyReading } from './key-reading.js';
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
  readonly #keyNames: readonly string[];
  /** The image that is read; -1: none yet. */
  #rowAt = -1;
  /** As in the table map. */
  readonly rowEnd: number | undefined;
  /** Indexes of the columns of type JSON, captured or not. */
  readonly jsonColumns: readonly number[];

  /** `captured`: by column of the table map, false for those left out. */
  constructor(map: TableMap, captured: readonly boolean[], charsets: CharsetTables) {
    this.columnCount = map.columns.length;
    this.#bitmapBytes = (this.columnCount + 7) >> 3;
    this.#readers = map.columns.map((column, i) =>
      captured[i]
        ? binaryReader(column, {
            where: `${map.database}.${map.table}.${column.name}`,
            isKey: map.keyColumns.includes(i),
            charsets,
          })
        : null,
    );
    this.#sizes = Int32Array.from(map.columns, (column) => column.size);
    this.#keyColumns = map.keyColumns;
    this.#keyAt = new Int32Array(map.keyColumns.length);
    this.#keyPlace = Int32Array.from(map.columns, (_, i) => map.keyColumns.indexOf(i));
    this.#keyNames = map.keyColumns.map((i) => map.columns[i]!.name);
    this.rowEnd = map.rowEnd;
    this.jsonColumns = map.columns.flatMap(({ form }, i) => (form.kind === 'json' ? [i] : []));
  }

  /** All captured columns of the image at `at`, in order; returns the offset behind it. */
  readRow(event: Buffer, at: number, to: ValueWriter): number {
    const readers = this.#readers;
    this.#rowAt = at;
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
    this.#rowAt = at;
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

  /** The key of the row that was being read, for people. */
  describeRow(event: Buffer): string {
    const key = new KeyReading(this.#keyNames);
    try {
      this.readKey(event, this.#rowAt, key);
    } catch {
      // The value that cannot be converted is one of the key's: those before it are told.
    }
    return key.text;
  }

  /** Where column `column` of the image at `at` begins; -1: it is NULL. */
  valueAt(event: Buffer, at: number, column: number): number {
    let p = at + this.#bitmapBytes;
    for (let i = 0; i < column; i++) {
      if ((event[at + (i >> 3)]! & (1 << (i & 7))) === 0) p = skipValue(event, p, this.#sizes[i]!);
    }
    return (event[at + (column >> 3)]! & (1 << (column & 7))) === 0 ? p : -1;
  }

  /** Where the value of a column ends that begins at `at`. */
  skipColumn(event: Buffer, at: number, column: number): number {
    return skipValue(event, at, this.#sizes[column]!);
  }

  sizeOf(column: number): number {
    return this.#sizes[column]!;
  }

  /** Whether two images hold the same bytes in all key columns. */
  sameKey(event: Buffer, one: number, other: number): boolean {
    const sizes = this.#sizes;
    const places = this.#keyPlace;
    let p = one + this.#bitmapBytes;
    let q = other + this.#bitmapBytes;
    for (let i = 0; i < sizes.length; i++) {
      const bit = 1 << (i & 7);
      const pFrom = p;
      const qFrom = q;
      if ((event[one + (i >> 3)]! & bit) === 0) p = skipValue(event, p, sizes[i]!);
      if ((event[other + (i >> 3)]! & bit) === 0) q = skipValue(event, q, sizes[i]!);
      if (places[i]! >= 0 && event.compare(event, qFrom, q, pFrom, p) !== 0) return false;
    }
    return true;
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
