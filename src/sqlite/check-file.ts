// What every check of a file of ours has: SQLite's own look at its trees, and the small tables. What SQLite itself cannot read is a finding.
import { AppError } from '../core/errors.js';
import type { CheckReport } from '../core/check-report.js';
import { restoreHint } from '../core/seal.js';
import type { SqliteDatabase } from './database.js';
import { hasColumn, type GuardedTable } from './guarded-tables.js';

const messagesMax = 1000;

/** `nameOf`: what a table or an index is to people, by its name in the file. */
export function checkStructure(database: SqliteDatabase, report: CheckReport, nameOf: (name: string) => string): void {
  report.begin('structure of the file');
  findingsOf(report, 'the structure of the file', () => {
    const roots = new Map(
      database
        .prepare('SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0')
        .all()
        .map(([root, name]) => [String(root), nameOf(String(name))]),
    );
    for (const [message] of database.prepare(`PRAGMA integrity_check(${messagesMax})`).all()) {
      if (message === 'ok') continue;
      const what = String(message)
        .replace(/Tree (\d+)/g, (tree, root: string) => `${roots.get(root) ?? tree}`)
        .replace(/\bt\d+_v\d+\w*/g, (name) => nameOf(name));
      report.finding({ what: `the structure of the file: ${what}`, repair: restoreHint });
    }
  });
}

export function checkGuarded(database: SqliteDatabase, report: CheckReport, tables: readonly GuardedTable[]): void {
  for (const table of tables) {
    if (!isThere(database, table.name)) continue;
    findingsOf(report, table.name, () => {
      if (!hasColumn(database, table.name, 'crc')) {
        const [count] = database.prepare(`SELECT count(*) FROM ${table.name}`).get()!;
        for (let i = 0; i < Number(count); i++) report.row(false);
        return;
      }
      for (const row of database.prepare(`SELECT ${table.columns} FROM ${table.name}`).iterate()) {
        const what = table.damage(row);
        if (what === undefined) report.row(true);
        else report.finding({ what, repair: restoreHint });
      }
    });
  }
}

export function isThere(database: SqliteDatabase, table: string): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined;
}

/** Goes on behind what cannot be read: that is a finding about `what`. In one read transaction. */
export function findingsOf(report: CheckReport, what: string, body: () => void): void {
  try {
    body();
  } catch (error) {
    report.finding(toFinding(error, what));
  }
}

export function toFinding(
  error: unknown,
  what: string,
): { readonly what: string; readonly repair: string; readonly table?: string | undefined } {
  if (error instanceof AppError && error.code === 'corrupt-data')
    return { what: error.message.replace(/^[^:]*: /, ''), repair: error.hint ?? restoreHint, table: error.subject };
  return { what: `${what}: ${error instanceof Error ? error.message : String(error)}`, repair: restoreHint };
}
