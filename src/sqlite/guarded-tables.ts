// Small tables whose rows each carry a checksum (column `crc`) over all of their other columns: catalogues, positions, marks. The
// connection that writes has it written by triggers of its own, which are not in the file, so no statement that writes such a row has to think
// of it and no other program is kept from reading the file. All rows are looked at when the tables are opened, and each again by whoever
// reads it later. A file of an earlier version gets column and checksums there.
import { checksumOfValues, corruptData, restoreHint } from '../core/seal.js';
import type { SqlValue, SqliteDatabase } from './database.js';

export interface GuardedTableSpec {
  readonly name: string;
  readonly key: readonly string[];
  /** Beside the key. */
  readonly columns: readonly string[];
  /** What a row is to people, by its key. */
  readonly what: (key: readonly SqlValue[]) => string;
  /** Written with every commit: the writer gives the checksum itself (`checksum`). */
  readonly byHand?: boolean;
}

export class GuardedTable {
  readonly name: string;
  /** For SELECT: what `check` takes. */
  readonly columns: string;
  readonly #spec: GuardedTableSpec;
  readonly #all: readonly string[];

  constructor(spec: GuardedTableSpec) {
    this.#spec = spec;
    this.name = spec.name;
    this.#all = [...spec.key, ...spec.columns];
    this.columns = [...this.#all, 'crc'].join(', ');
  }

  checksum(values: readonly SqlValue[]): number {
    return checksumOfValues([this.name, ...values]);
  }

  /** A row as `columns` gives it: throws corrupt-data unless it is what was written. */
  check(row: readonly SqlValue[]): void {
    const damage = this.damage(row);
    if (damage !== undefined) throw corruptData({ what: damage, repair: restoreHint });
  }

  damage(row: readonly SqlValue[]): string | undefined {
    const values = row.slice(0, this.#all.length);
    if (row[this.#all.length] === this.checksum(values)) return undefined;
    return this.#spec.what(values);
  }

  /** For statements of the writer, in an open transaction: the table is there. */
  guard(database: SqliteDatabase): void {
    const { name } = this;
    const values = (prefix: string) => [`'${name}'`, ...this.#all.map((column) => prefix + column)].join(', ');
    if (!hasColumn(database, name, 'crc')) {
      database.exec(`ALTER TABLE ${name} ADD COLUMN crc INTEGER; UPDATE ${name} SET crc = wt_crc(${values('')})`);
    }
    for (const row of database.prepare(`SELECT ${this.columns} FROM ${name}`).all()) this.check(row);
    if (this.#spec.byHand === true) return;
    const own = this.#spec.key.map((column) => `${column} = new.${column}`).join(' AND ');
    const body = `BEGIN UPDATE ${name} SET crc = wt_crc(${values('new.')}) WHERE ${own}; END`;
    database.exec(
      `CREATE TEMP TRIGGER IF NOT EXISTS ${name}_inserted AFTER INSERT ON main.${name} ${body};
       CREATE TEMP TRIGGER IF NOT EXISTS ${name}_updated AFTER UPDATE OF ${this.#all.join(', ')} ON main.${name} ${body}`,
    );
  }
}

/** In one transaction. The tables are there; throws corrupt-data where a row is not what was written. */
export function guardTables(database: SqliteDatabase, tables: readonly GuardedTable[]): void {
  database.raw.function('wt_crc', { varargs: true }, (...values: unknown[]) => checksumOfValues(values));
  database.transaction(() => {
    for (const table of tables) table.guard(database);
  });
}

export function hasColumn(database: SqliteDatabase, table: string, column: string): boolean {
  return database.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column) !== undefined;
}
