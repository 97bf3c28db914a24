// What a file has that wants care, and whether the capture that lies in it still tells the whole truth.
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { SourceFinding } from '../source-connector.js';
import type { SqliteSourceConfig } from './config.js';
import { readInstallation } from './install.js';
import type { TableDescription } from './table-description.js';
import { surveyTables } from './table-survey.js';

export function adviseOnTables(tables: readonly TableDescription[]): SourceFinding[] {
  return tables.flatMap((table) => [...adviseOnKey(table), ...adviseOnTypes(table)]);
}

function adviseOnKey({ name, key, columns }: TableDescription): SourceFinding[] {
  const named = (chosen: (column: TableDescription['key'][number]) => boolean) =>
    key.flatMap((part) => (chosen(part) ? [columns[part.column]!.name] : []));
  const findings: SourceFinding[] = [];
  const nullable = named((part) => part.nullable);
  if (nullable.length > 0) {
    findings.push({
      severity: 'warning',
      code: 'nullable-key',
      object: name,
      message: `SQLite lets NULL into the primary key of ${name} (${nullable.join(', ')}), and a row with one makes it stand still`,
      hint: `CREATE TABLE ${name}_new (... ${nullable[0]!} ... NOT NULL ...), copy the rows, DROP TABLE ${name}, ALTER TABLE ${name}_new RENAME TO ${name}`,
    });
  }
  const loose = named((part) => part.loose);
  if (loose.length > 0) {
    findings.push({
      severity: 'note',
      code: 'loose-key',
      object: name,
      message: `keys of ${name} that SQLite calls equal may be spelled differently (${loose.join(', ')}): a row is asked for as it is spelled`,
    });
  }
  return findings;
}

function adviseOnTypes({ name, columns }: TableDescription): SourceFinding[] {
  const open = columns.filter(
    (column) => !column.enforced && /int|real|floa|doub|num|dec|bool|date|time/i.test(column.declared),
  );
  if (open.length === 0) return [];
  return [
    {
      severity: 'note',
      code: 'loose-types',
      object: name,
      message: `SQLite takes values of any type into ${open.map((column) => column.name).join(', ')} of ${name}; one that does not fit its column makes it stand still`,
      hint: 'make the table STRICT, or read such columns as text by sqlite.text.columns',
    },
  ];
}

/** Of the capture in the file, where there is one: tables that have changed, or lost triggers, since they were captured. */
export function adviseOnCapture(database: SqliteDatabase, config: SqliteSourceConfig): SourceFinding[] {
  const installation = readInstallation(database, config);
  if (installation === null) return [];
  const captured = new Set(installation.tables.map(({ description }) => description.name));
  const { called, gone } = surveyTables(database, config, installation.tables, { pending: [], refused: [] });
  const changed = called
    .filter(({ table }) => captured.has(table.name))
    .map(({ table, cause }): SourceFinding => ({
      severity: 'note',
      code: 'table-changed',
      object: table.name,
      message: `table ${table.name} is not as it was captured (${cause}): it is read again when its connector runs`,
    }));
  return [
    ...changed,
    ...gone.map((name): SourceFinding => ({
      severity: 'note',
      code: 'table-changed',
      object: name,
      message: `table ${name} was captured and is gone: its rows are deleted when its connector runs`,
    })),
  ];
}
