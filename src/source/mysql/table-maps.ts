// The table maps that are in force, by the number that rows events name them with. A number is used again for other tables after
// a restart of the server, so a map is known again by its bytes only, which also spares compiling the same one for every
// transaction.
import { AppError } from '../../core/errors.js';
import { headerSize } from './binlog-event.js';
import type { CapturedTables } from './captured-tables.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import { RowDecoder } from './row-decoder.js';
import type { RowsTable } from './rows-event.js';
import { parseTableMap, tableMapName, type Collations, type TableMap } from './table-map.js';
import { capturedColumns, tableName } from './table-schema.js';

interface KnownMap {
  readonly bytes: Buffer;
  /** `database.table` */
  readonly name: string;
  /** Null: not captured. */
  readonly table: RowsTable | null;
}

export class TableMaps {
  readonly #tables: CapturedTables;
  readonly #columns: ColumnKnowledge;
  readonly #collations: Collations;
  readonly #known = new Map<number, KnownMap>();

  constructor(tables: CapturedTables, columns: ColumnKnowledge, collations: Collations) {
    this.#tables = tables;
    this.#columns = columns;
    this.#collations = collations;
  }

  /**
   * Reads a table map event. That of a captured table which is not open, or with other columns, or whose columns cannot be read yet, is
   * given back: see to it, then read the event again.
   */
  read(event: Buffer): TableMap | undefined {
    const id = event.readUIntLE(headerSize, 6);
    const known = this.#known.get(id);
    if (known && event.compare(known.bytes, 0, known.bytes.length, headerSize) === 0) return undefined;
    const { database, table } = tableMapName(event, headerSize);
    let rowsTable: RowsTable | null = null;
    if (this.#tables.filter.matches(database, table)) {
      const columns = this.#columns;
      const map = columns.complete(parseTableMap(event, headerSize, event.length, this.#collations));
      if (this.#tables.known.captures(map)) {
        const open = this.#tables.get(database, table);
        if (!open || !this.#tables.isAs(open, map) || !columns.charsets.cover(columns.captured(map))) return map;
        const captured = capturedColumns(map, this.#tables.filter);
        this.#tables.mapped.set(this.#tables.known.fold(open.name), map.columns);
        rowsTable = { open, decoder: new RowDecoder(map, captured, columns.charsets) };
      }
    }
    // A copy: the event is a part of a large buffer from the socket.
    this.#known.set(id, {
      bytes: Buffer.from(event.subarray(headerSize)),
      name: tableName({ database, table }),
      table: rowsTable,
    });
    return undefined;
  }

  /** The table of a rows event, null when it is not captured. */
  rowsTable(event: Buffer): RowsTable | null {
    const known = this.#known.get(event.readUIntLE(headerSize, 6));
    if (!known) throw new AppError('corrupt-binlog', 'rows without a table map before them');
    return known.table;
  }

  /** The table was opened anew: what was compiled for it is not used any more. */
  forget(name: string): void {
    for (const [id, known] of this.#known) if (this.#tables.known.fold(known.name) === name) this.#known.delete(id);
  }

  /** Rows of it are stepped over from here on, also those of the table maps that are in force. */
  leaveOut(name: string): void {
    for (const [id, known] of this.#known)
      if (this.#tables.known.fold(known.name) === name) this.#known.set(id, { ...known, table: null });
  }

  clear(): void {
    this.#known.clear();
  }
}
