// Every row of every table, every entry of operator state, feed and outbox, and the counts of rows. On a connection that only reads, beside a
// process that writes: each part is one read transaction.
import type { CheckReport } from '../../core/check-report.js';
import { rebuildHint, restoreHint } from '../../core/seal.js';
import { checkGuarded, findingsOf, isThere, toFinding } from '../../sqlite/check-file.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { TableSpec } from '../state-store.js';
import { openFeedBlob, openMark, type FeedRow } from './feed-codec.js';
import { guarded, guardedOutbox } from './guarded-store.js';
import { isStateEntry } from './keyed-table.js';
import { damagedOutbox, isOutboxRow, outboxColumns } from './outbox-table.js';
import { describedTable } from './table-catalogue.js';
import { physicalColumns, physicalName, TableLayout } from './table-layout.js';
import { hasColumn } from '../../sqlite/guarded-tables.js';

export function checkStore(database: SqliteDatabase, report: CheckReport): void {
  if (!isThere(database, 'wt_frontier')) return;
  report.begin('catalogue');
  checkGuarded(database, report, [...Object.values(guarded), guardedOutbox.refused]);
  const tables = tablesOf(database);
  for (const table of tables) checkRows(database, report, table);
  checkStates(database, report);
  checkFeed(database, report, new Map(tables.map(({ spec }) => [spec.id, spec.name])));
  checkOutbox(database, report);
}

/** What a table or an index of the file is to people. */
export function tableNames(database: SqliteDatabase): (name: string) => string {
  const names = new Map<string, string>();
  if (isThere(database, 'wt_table')) {
    for (const { spec } of tablesOf(database)) names.set(physicalName(spec), spec.name);
  }
  return (name) => {
    const [physical = ''] = /^t\d+_v\d+/.exec(name) ?? [];
    const known = names.get(physical);
    if (known === undefined || known === '') return name;
    return physical === name ? `table "${known}" (${name})` : `index ${name} of table "${known}"`;
  };
}

interface Described {
  readonly spec: TableSpec;
  readonly rowCount: number;
}

/** Those whose description can be read; the others are findings of the catalogue. */
function tablesOf(database: SqliteDatabase): readonly Described[] {
  const described: Described[] = [];
  for (const row of database.prepare('SELECT id, version, name, schema, row_count FROM wt_table').all()) {
    try {
      described.push({ spec: describedTable(row), rowCount: Number(row[4]) });
    } catch {
      // Its row does not fit its checksum: a finding by itself.
    }
  }
  return described;
}

function checkRows(database: SqliteDatabase, report: CheckReport, { spec }: Described): void {
  const { id, version, name } = spec;
  const shown = name === '' ? `${physicalName(spec)}, on its way out` : `"${name}"`;
  report.begin(`table ${shown}`);
  inOneCut(database, () =>
    findingsOf(report, `table ${shown}`, () => {
      if (!hasColumn(database, guarded.table.name, 'crc')) {
        // Nothing of this version has opened the file yet.
        const [count] = database.prepare(`SELECT count(*) FROM ${physicalName(spec)}`).get()!;
        for (let i = 0; i < Number(count); i++) report.row(false);
        return;
      }
      const columns = physicalColumns(database, spec);
      const layout = new TableLayout(spec, columns);
      let rows = 0;
      let damaged = false;
      const order = layout.keyColumns.join(', ');
      for (const stored of database
        .prepareExact(`SELECT ${layout.selectList} FROM ${layout.table} ORDER BY ${order}`)
        .iterate()) {
        rows++;
        const hasSum = columns.sums !== 'none' && stored.at(-2) !== null;
        try {
          layout.openRow(stored, true);
          report.row(hasSum);
        } catch (error) {
          damaged = true;
          report.finding(toFinding(error, `table ${shown}`));
        }
      }
      const counted = database
        .prepare('SELECT row_count FROM wt_table WHERE id = ? AND version = ?')
        .get(id, version)?.[0];
      // One that goes away is counted no more.
      if (name !== '' && counted !== rows && !damaged) {
        const what = `table ${shown}, of whose ${String(counted)} rows ${rows} are found`;
        report.finding({ what, repair: rebuildHint(name), table: name });
      }
    }),
  );
}

function checkStates(database: SqliteDatabase, report: CheckReport): void {
  for (const [id, name, form] of database.prepare('SELECT id, name, spec FROM wt_keyed_state').all()) {
    const table = `wt_state_${String(id)}`;
    report.begin(`operator state ${String(name)}`);
    findingsOf(report, `operator state ${String(name)}`, () => {
      const { summed = false } = JSON.parse(form as string) as { summed?: boolean };
      for (const [key, value] of database.prepare(`SELECT key, value FROM ${table}`).iterate()) {
        if (!summed || isStateEntry(table, key as Buffer, value as Buffer)) report.row(summed);
        else {
          report.finding({
            what: `operator state ${String(name)}, the entry with key 0x${(key as Buffer).toString('hex')}`,
            repair: 'rebuild the table that the query writes: writethrough rebuild TABLE',
          });
        }
      }
    });
  }
}

function checkFeed(database: SqliteDatabase, report: CheckReport, names: ReadonlyMap<number, string>): void {
  report.begin('change feeds');
  inOneCut(database, () =>
    findingsOf(report, 'the change feeds', () => {
      let total = 0;
      const rows = database.prepare(
        'SELECT table_id, schema_id, first_seq, last_seq, last_index, bytes, changes FROM wt_feed ORDER BY id',
      );
      for (const [tableId, schemaId, firstSeq, lastSeq, lastIndex, bytes, changes] of rows.iterate()) {
        const row: FeedRow = {
          tableId: Number(tableId),
          schemaId: schemaId === null ? null : Number(schemaId),
          firstSeq: Number(firstSeq),
          lastSeq: Number(lastSeq),
          lastIndex: Number(lastIndex),
        };
        total += Number(bytes);
        const blob = changes as Buffer;
        const opened = row.schemaId === null ? openMark(blob, row) : openFeedBlob(blob, row);
        if (opened !== undefined) {
          report.row(opened.sealed);
          continue;
        }
        const table = names.get(row.tableId);
        report.finding({
          what: `the change feed of table "${table ?? row.tableId}", the changes from seq ${row.firstSeq} to ${row.lastSeq}`,
          repair: 'subscribers read the table anew; what is damaged goes with the retention of the feed',
          table,
        });
      }
      const counted = database.prepare('SELECT feed_bytes FROM wt_frontier').get()?.[0];
      if (counted !== undefined && counted !== total) {
        const what = `the change feeds, of whose ${String(counted)} bytes ${total} are found`;
        report.finding({ what, repair: restoreHint });
      }
    }),
  );
}

function checkOutbox(database: SqliteDatabase, report: CheckReport): void {
  if (!isThere(database, 'wt_outbox')) return;
  report.begin('outbox');
  findingsOf(report, 'the outbox', () => {
    if (!hasColumn(database, 'wt_outbox', 'crc')) return;
    for (const row of database.prepare(`SELECT ${outboxColumns} FROM wt_outbox ORDER BY id`).iterate()) {
      if (isOutboxRow(row)) report.row(row[9] !== null);
      else report.finding(toFinding(damagedOutbox(row), 'the outbox'));
    }
  });
}

/** What is compared with each other belongs to one commit. */
function inOneCut(database: SqliteDatabase, body: () => void): void {
  database.prepare('BEGIN').run();
  try {
    body();
  } finally {
    database.prepare('COMMIT').run();
  }
}
