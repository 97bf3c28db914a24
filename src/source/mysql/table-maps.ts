// The table maps that are in force, by the number that rows events name them with. A number is used again for other tables after
// a restart of the server, so a map is known again by its bytes only, which also spares compiling the same one for every
// transaction.
import { AppError } from '../../core/errors.js';
import { headerSize } from './binlog-event.js';
import type { CapturedTables } from './captured-tables.js';
import { RowDecoder } from './row-decoder.js';
import type { RowsTable } from './rows-event.js';
import { parseTableMap, tableMapName, type Collations, type TableMap } from './table-map.js';
import { capturedColumns } from './table-schema.js';

interface KnownMap {
  readonly bytes: Buffer;
  /** Null: not captured. */
  readonly table: RowsTable | null;
}

export class TableMaps {
  readonly #tables: CapturedTables;
  readonly #collations: Collations;
  readonly #known = new Map<number, KnownMap>();

  constructor(tables: CapturedTables, collations: Collations) {
    this.#tables = tables;
    this.#collations = collations;
  }

  /** Reads a table map event. That of a captured table which is not open is given back: open it, then read the event again. */
  read(event: Buffer): TableMap | undefined {
    const id = event.readUIntLE(headerSize, 6);
    const known = this.#known.get(id);
    if (known && event.compare(known.bytes, 0, known.bytes.length, headerSize) === 0) return undefined;
    const { database, table } = tableMapName(event, headerSize);
    let rowsTable: RowsTable | null = null;
    if (this.#tables.filter.matches(database, table)) {
      const map = parseTableMap(event, headerSize, event.length, this.#collations);
      if (this.#tables.known.captures(map)) {
        const open = this.#tables.get(database, table);
        if (!open) return map;
        this.#tables.assertUnchanged(open, map);
        rowsTable = { open, decoder: new RowDecoder(map, capturedColumns(map, this.#tables.filter)) };
      }
    }
    // A copy: the event is a part of a large buffer from the socket.
    this.#known.set(id, { bytes: Buffer.from(event.subarray(headerSize)), table: rowsTable });
    return undefined;
  }

  /** The table of a rows event, null when it is not captured. */
  rowsTable(event: Buffer): RowsTable | null {
    const known = this.#known.get(event.readUIntLE(headerSize, 6));
    if (!known) throw new AppError('corrupt-binlog', 'rows without a table map before them');
    return known.table;
  }

  clear(): void {
    this.#known.clear();
  }
}
