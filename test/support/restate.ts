// Rows of a data file that a test has made others by SQL, so that they are wrong and not damaged: their checksums, and the counts of the
// tables, are made anew. The file's process is stopped.
import { join } from 'node:path';
import { integerValue } from '../../src/core/data-type.js';
import { openDatabase } from '../../src/sqlite/database.js';
import { guardTables } from '../../src/sqlite/guarded-tables.js';
import { guarded } from '../../src/store/sqlite/guarded-store.js';
import { RowChecksum } from '../../src/store/sqlite/row-checksum.js';

/** `edit`: SQL on the file; of a row that it inserts `wt_sum` is any number. */
export function restated(dataDir: string, edit: string): void {
  const database = openDatabase(join(dataDir, 'writethrough.db'));
  try {
    guardTables(database, Object.values(guarded));
    database.exec(edit);
    for (const [id, version] of database.prepare('SELECT id, version FROM wt_table').all()) {
      const table = `t${String(id)}_v${String(version)}`;
      const info = database.prepare('SELECT name, pk FROM pragma_table_info(?)').all(table);
      const columns = info.map(([name]) => String(name)).filter((name) => name !== 'wt_sum' && name !== 'wt_rowtime');
      const quoted = columns.map((name) => `"${name}"`).join(', ');
      const checksum = new RowChecksum(table, columns);
      const key = info.filter(([, pk]) => Number(pk) > 0).map(([name]) => String(name));
      const update = database.prepare(
        `UPDATE ${table} SET wt_sum = ? WHERE ${key.map((name) => `"${name}" = ?`).join(' AND ')}`,
      );
      const rows = database.prepareExact(`SELECT ${quoted}, wt_rowtime FROM ${table}`).all();
      for (const row of rows) {
        const values = row.map((value) => (typeof value === 'bigint' ? integerValue(value) : value));
        const rowtimeMs = Number(values.pop());
        const sum = checksum.of(values, values.length, rowtimeMs);
        update.run(sum, ...key.map((name) => values[columns.indexOf(name)]!));
      }
      database.prepare('UPDATE wt_table SET row_count = ? WHERE id = ? AND version = ?').run(rows.length, id, version);
    }
  } finally {
    database.close();
  }
}
