// SQLite files of their own, in WAL mode as an application would keep them. A session is a connection; constraints that a statement of
// a script breaks on purpose are part of the script.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../support/sqlite-driver.js';
import * as form from './canonical.js';
import type { Ground, Place, SectionEnd, SourceTable } from './place.js';
import type { Section } from './script.js';

export function openSqliteGround(): Ground {
  const dir = mkdtempSync(join(tmpdir(), 'writethrough-cases-'));
  return {
    product: 'sqlite',
    open: (label, { pragmas }) => Promise.resolve(new SqlitePlace(dir, label, pragmas)),
    close: () => Promise.resolve(rmSync(dir, { recursive: true, force: true })),
  };
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

type StoredRow = readonly (string | Buffer | null)[];

class SqlitePlace implements Place {
  readonly label: string;
  readonly #file: string;
  readonly #pragmas: readonly string[];
  readonly #tables = new Set<string>();

  constructor(dir: string, label: string, pragmas: readonly string[]) {
    this.label = label;
    this.#file = join(dir, `${label}.db`);
    this.#pragmas = pragmas;
    const database = this.#open();
    database.pragma('journal_mode = WAL');
    database.close();
  }

  #open(): Database {
    const database = new Database(this.#file, { timeout: 20_000 });
    for (const pragma of this.#pragmas) database.pragma(pragma);
    return database;
  }

  run(section: Section): Promise<SectionEnd> {
    const database = this.#open();
    const notes: string[] = [];
    try {
      for (const statement of section) {
        try {
          database.exec(statement);
        } catch (error) {
          const { code = '', message } = error as { code?: string; message: string };
          if (code.startsWith('SQLITE_CONSTRAINT')) notes.push(`${message}, as the script wants it`);
          else if (/^SQLITE_(BUSY|LOCKED)/.test(code))
            return Promise.resolve({ kind: 'hindered', message: `${code} ${message}`, statement });
          else if (!code.startsWith('SQLITE_')) throw error;
          else return Promise.resolve({ kind: 'refused', errno: code, message, statement });
        }
      }
      if (database.inTransaction) database.exec('ROLLBACK');
      return Promise.resolve({ kind: 'done', notes });
    } finally {
      database.close();
    }
  }

  connector(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({ 'connector.class': 'SqliteCdcSource', 'database.file': this.#file });
  }

  tables(): Promise<readonly SourceTable[]> {
    const database = this.#open();
    try {
      const names = database
        .prepare(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_wt_*'",
        )
        .pluck()
        .all() as string[];
      for (const name of names) this.#tables.add(name);
      return Promise.resolve(names.map((table) => this.#read(database, table)));
    } finally {
      database.close();
    }
  }

  #read(database: Database, table: string): SourceTable {
    const columns = database
      .prepare('SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1')
      .all(table) as { name: string; type: string; pk: number }[];
    const key = columns
      .filter(({ pk }) => pk > 0)
      .toSorted((one, other) => one.pk - other.pk)
      .map(({ name }) => name);
    // The class of storage beside each value, since the same text may be of any.
    const list = columns.map(({ name }) => {
      const column = quoted(name);
      return `typeof(${column}), CASE typeof(${column}) WHEN 'blob' THEN ${column} WHEN 'real' THEN printf('%!.17g', ${column}) ELSE CAST(${column} AS TEXT) END`;
    });
    const rows = database
      .prepare(`SELECT ${list.join(', ')} FROM ${quoted(table)}`)
      .raw()
      .all() as StoredRow[];
    return {
      database: this.label,
      table,
      key,
      columns: columns.map(({ name, type }) => ({ name, declared: type, form: formOfServed })),
      rows: rows.map((row) =>
        columns.map((_, i) => {
          const value = row[2 * i + 1] ?? null;
          return value === null
            ? null
            : Buffer.concat([
                Buffer.from(String(row[2 * i])[0]!),
                typeof value === 'string' ? Buffer.from(value) : value,
              ]);
        }),
      ),
    };
  }

  names(): readonly string[] {
    return [this.label, ...this.#tables];
  }

  drop(): Promise<void> {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#file + suffix, { force: true });
    return Promise.resolve();
  }
}

/** SQLite has classes of storage, columns of ours have types: the type says how a value of any class is read. */
function formOfServed(servedType: string): form.Form {
  const type = /^[A-Z]+/.exec(servedType)?.[0] ?? '';
  const of = served[type] ?? form.text;
  return {
    served: of.served,
    source: (found) => {
      const storage = String.fromCharCode(found[0]!);
      const value = found.subarray(1);
      if (storage === 'b')
        return type === 'BYTES' ? value.toString('hex') : `(stored as BLOB) ${value.toString('hex')}`;
      if (type === 'BYTES') return `(stored as text) ${value.toString()}`;
      if (type === 'BOOLEAN') return value.toString() === '0' ? 'false' : 'true';
      return of.source(value);
    },
  };
}

const served: Readonly<Record<string, form.Form>> = {
  BIGINT: form.whole,
  INTEGER: form.whole,
  DECIMAL: form.decimal,
  DOUBLE: form.double,
  BYTES: form.bytes,
  DATE: form.date,
  TIME: form.time,
  TIMESTAMP: form.datetime,
  BOOLEAN: { source: (found) => found.toString(), served: (value) => String(value) },
};
