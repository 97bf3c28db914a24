// Rows of a waiting snapshot chunk to the encoder of their table, in pieces of the size of an append. Rows whose key the stream
// has changed meanwhile are left out.
import type { ChangeOrigin } from '../../core/change-origin.js';
import type { RowEncoder, ValueWriter } from '../../core/row-encoder.js';
import type { CharsetTables } from './charset-tables.js';
import { KeyReading } from './key-reading.js';
import { KeyText } from '../key-text.js';
import type { SnapshotChunk } from './snapshot-chunk.js';
import { textReader, type TextReader } from './text-reader.js';
import { inRow } from './unconvertible.js';
import { AppError } from '../../core/errors.js';

export class SnapshotEmitter {
  readonly chunk: SnapshotChunk;
  readonly #origin: ChangeOrigin;
  readonly #readers: readonly TextReader[];
  readonly #keyText = new KeyText();
  /** Where the columns of the row at hand lie; end -1: NULL. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #keyColumns: readonly number[];
  #next = 0;

  constructor(chunk: SnapshotChunk, charsets: CharsetTables, origin: ChangeOrigin) {
    this.chunk = chunk;
    this.#origin = origin;
    const { open } = chunk.table;
    this.#readers = chunk.query.columns.map((column, i) =>
      textReader(column, { where: `${open.name}.${column.name}`, isKey: open.source.keyColumns.includes(i), charsets }),
    );
    this.#starts = new Int32Array(this.#readers.length);
    this.#ends = new Int32Array(this.#readers.length);
    this.#keyColumns = open.source.keyColumns;
  }

  get done(): boolean {
    return this.#next === this.chunk.rows.count;
  }

  /** Emits while `more` says so, looked at every few rows; returns the number of rows gone through. Throws what stops the table. */
  emit(more: () => boolean): number {
    const { rows, window, table, refusal } = this.chunk;
    if (refusal) throw refusal;
    const { encoder } = table.open;
    this.#origin.read(this.chunk.kind, this.chunk.high);
    const from = this.#next;
    while (this.#next < rows.count) {
      const row = this.#next++;
      const source = rows.buffer(row);
      this.#locate(source, rows.start(row));
      try {
        if (window.empty || !window.has(this.#key(source))) {
          this.#writeRow(source, encoder.beginRow('r'));
          encoder.endRow();
        }
      } catch (error) {
        throw inRow(error, () => `row of ${table.open.name} with ${this.#describeRow(source)}, read in the snapshot`);
      }
      if ((this.#next & 15) === 0 && !more()) break;
    }
    return this.#next - from;
  }

  /** One of its rows, whatever the stream has changed, to another encoder of the table. */
  writeTo(encoder: RowEncoder, row: number): void {
    const source = this.chunk.rows.buffer(row);
    this.#locate(source, this.chunk.rows.start(row));
    try {
      this.#writeRow(source, encoder.beginRow('r'));
      encoder.endRow();
    } catch (error) {
      throw inRow(error, () => `row of ${this.chunk.table.open.name} with ${this.#describeRow(source)}`);
    }
  }

  /** The stream has changed the row since before it was read. */
  isChanged(row: number): boolean {
    const source = this.chunk.rows.buffer(row);
    this.#locate(source, this.chunk.rows.start(row));
    return this.chunk.window.has(this.#key(source));
  }

  /** The key of the last row gone through, as literals for the cursor. */
  get cursorKey(): string[] {
    return this.keyOf(this.#next - 1);
  }

  keyOf(row: number): string[] {
    const { query, rows } = this.chunk;
    return query.keyPlaces.map((place, k) => {
      const bytes = rows.column(row, place);
      if (!bytes) throw new AppError('internal', 'a key column is NULL');
      return query.literal(k, bytes);
    });
  }

  #locate(source: Buffer, start: number): void {
    const starts = this.#starts;
    const ends = this.#ends;
    let at = start;
    for (let i = 0; i < starts.length; i++) {
      const first = source[at]!;
      let length = first;
      if (first < 0xfb) {
        at += 1;
      } else if (first === 0xfb) {
        at += 1;
        ends[i] = -1;
        continue;
      } else if (first === 0xfc) {
        length = source.readUInt16LE(at + 1);
        at += 3;
      } else if (first === 0xfd) {
        length = source.readUIntLE(at + 1, 3);
        at += 4;
      } else {
        length = Number(source.readBigUInt64LE(at + 1));
        at += 9;
      }
      starts[i] = at;
      at += length;
      ends[i] = at;
    }
  }

  #writeRow(source: Buffer, to: ValueWriter): void {
    const readers = this.#readers;
    for (let i = 0; i < readers.length; i++) {
      const end = this.#ends[i]!;
      if (end < 0) to.null();
      else readers[i]!(source, this.#starts[i]!, end, to);
    }
  }

  #describeRow(source: Buffer): string {
    const { columns } = this.chunk.query;
    const key = new KeyReading(this.#keyColumns.map((column) => columns[column]!.name));
    try {
      for (const column of this.#keyColumns)
        this.#readers[column]!(source, this.#starts[column]!, this.#ends[column]!, key);
    } catch {
      // The value that cannot be converted is one of the key's: those before it are told.
    }
    return key.text;
  }

  #key(source: Buffer): string {
    for (const column of this.#keyColumns) {
      this.#readers[column]!(source, this.#starts[column]!, this.#ends[column]!, this.#keyText);
    }
    return this.#keyText.take();
  }
}
