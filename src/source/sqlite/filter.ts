// Which tables and columns are captured: the include and exclude lists over `table`, `main.table` and `<database>.table`, and
// what the tables themselves rule out (no key, a type that is not covered).
import { AppError, toAppError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import type { Pattern } from '../../core/pattern.js';
import type { SourceFinding } from '../source-connector.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { defaultTimestampDigits, type SqliteSourceConfig } from './config.js';
import { describeTable, tableNames, type TableDescription } from './table-description.js';
import { capturedColumns, sourceTableOf } from './table-types.js';

export interface Selection {
  readonly tables: readonly TableDescription[];
  /** Of tables that the lists ask for and that cannot be captured, by name. */
  readonly refused: ReadonlyMap<string, SourceFinding>;
  readonly findings: readonly SourceFinding[];
}

export function selectTables(database: SqliteDatabase, config: SqliteSourceConfig): Selection {
  const all = tableNames(database);
  const wanted = all.filter((name) => isIncluded(name, config));
  const findings: SourceFinding[] = [];
  const tables: TableDescription[] = [];
  const refused = new Map<string, SourceFinding>();
  for (const name of wanted) {
    const table = describeTable(database, name);
    // Dropped between the two looks: as if it had never been there.
    if (!table) continue;
    const finding = objection(table, config);
    if (finding) refused.set(name, finding);
    else tables.push(table);
  }
  findings.push(...refused.values());
  if (config.include.length > 0 && wanted.length === 0) findings.push(nothingMatches(all, config));
  return { tables, refused, findings };
}

/** Throws the first finding that keeps the connector from starting. */
export function throwErrors(findings: readonly SourceFinding[]): void {
  const first = findings.find((finding) => finding.severity === 'error');
  if (!first) return;
  throw new AppError(first.code as AppError['code'], first.message, {
    hint: first.hint,
    place: { path: first.property },
  });
}

function isIncluded(name: string, config: SqliteSourceConfig): boolean {
  const names = [name, `main.${name}`, `${config.database}.${name}`];
  const meets = (patterns: readonly Pattern[]) => patterns.some((pattern) => names.some((full) => pattern.test(full)));
  return (config.include.length === 0 || meets(config.include)) && !meets(config.exclude);
}

/** The user wrote this very name, so leaving the table out would not be what was asked for. */
function isNamed(name: string, config: SqliteSourceConfig): boolean {
  const names = [name, `main.${name}`, `${config.database}.${name}`].map((full) => full.toLowerCase());
  return config.includeTexts.some((text) => names.includes(text.replaceAll('\\', '').toLowerCase()));
}

function objection(table: TableDescription, config: SqliteSourceConfig): SourceFinding | null {
  const named = isNamed(table.name, config);
  if (table.key.length === 0) {
    return {
      severity: named ? 'error' : 'warning',
      code: 'keyless-table',
      property: 'table.include.list',
      object: table.name,
      message: `table ${table.name} has no primary key${named ? '' : ' and is left out'}`,
      hint: `give it one, or exclude it: table.exclude.list=${table.name}`,
    };
  }
  try {
    const digits = config.timestampDigits ?? defaultTimestampDigits;
    sourceTableOf({ description: table, captured: capturedColumns(table, config), digits }, config);
    return null;
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    const left = named || code === 'bad-connector-config' ? '' : '; the table is left out';
    return {
      severity: left === '' ? 'error' : 'warning',
      code,
      property: 'table.include.list',
      object: table.name,
      message: `${message}${left}`,
      hint,
    };
  }
}

function nothingMatches(all: readonly string[], config: SqliteSourceConfig): SourceFinding {
  const nearest = nearestName((config.includeTexts[0] ?? '').replace(/^.*\./, ''), all);
  const known = all.length === 0 ? 'the file has no tables' : `its tables are ${all.slice(0, 20).join(', ')}`;
  return {
    severity: 'error',
    code: 'filter-matches-nothing',
    property: 'table.include.list',
    message: `"${config.includeTexts.join(', ')}" matches no table of ${config.file}`,
    hint: nearest ? `did you mean "${nearest}"? (${known})` : known,
  };
}
