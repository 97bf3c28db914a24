// What to say when the filters match no table: the contradiction where there is one, else the nearest names.
import { nameOf, splitPatterns } from '../../core/pattern-list.js';
import type { SourceFinding } from '../source-connector.js';
import type { MysqlConfig } from './config.js';
import type { TableFilter } from './filters.js';
import { tableName } from './table-schema.js';

interface Named {
  readonly database: string;
  readonly table: string;
}

export function nothingMatches(all: readonly Named[], filter: TableFilter, config: MysqlConfig): SourceFinding {
  const contradiction = all.filter(
    (table) =>
      !filter.matchesDatabase(table.database) &&
      config.tables.include.some((pattern) => pattern.test(`${table.database}.${table.table}`)),
  );
  const names = contradiction.length > 0 ? contradiction : nearest(all, config);
  const listed = names.slice(0, 5).map(tableName).join(', ');
  const property = config.tables.includeText !== '' ? 'table.include.list' : 'database.include.list';
  return {
    severity: 'error',
    code: 'filter-matches-nothing',
    property,
    message: `${filter.describe()} match${filter.describe().includes(' and ') ? '' : 'es'} no table of the server`,
    hint:
      contradiction.length > 0
        ? `${listed} would match table.include.list, but not the filter on databases`
        : listed === ''
          ? 'the user sees no table at all: check that it has SELECT on the tables'
          : `the nearest tables are ${listed}`,
  };
}

/** No name of a table is longer, and what is compared with each of them costs its length. */
const namedLength = 200;

/** Tables by the distance of their names from what the lists name. */
function nearest(all: readonly Named[], config: MysqlConfig): Named[] {
  const wanted = [
    ...splitPatterns(config.tables.includeText),
    ...splitPatterns(config.databases.includeText).map((database) => `${database}.`),
  ].map((item) => nameOf(item).slice(0, namedLength).toLowerCase());
  const score = (table: Named) => {
    const name = tableName(table).toLowerCase();
    const parts = wanted.map((item) =>
      item.endsWith('.')
        ? distance(item, `${table.database.toLowerCase()}.`)
        : Math.min(distance(item, name), distance(item, table.table.toLowerCase()) + 1),
    );
    return Math.min(...parts, name.length);
  };
  return all
    .map((table) => ({ table, score: score(table) }))
    .toSorted((a, b) => a.score - b.score)
    .map(({ table }) => table);
}

/** Edits from one text to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
