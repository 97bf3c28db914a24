// What captured tables have that wants care: engines that do not roll back, keys that are equal at the server and not by letters, keys that
// cannot be looked up, and values that would end the task.
import type { SourceFinding } from '../source-connector.js';
import { timeRangeProperty, zeroDatesProperty } from './odd-times.js';
import { keyLookup } from './key-lookup.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { tableName, type TableSchema } from './table-schema.js';
import { quoteName } from './text-reader.js';

const transactional: ReadonlySet<string> = new Set(['INNODB', 'ROCKSDB', 'NDBCLUSTER', 'NDB', 'TOKUDB', '']);

export async function adviseOnTables(
  session: Session,
  tables: readonly TableSchema[],
  filter: TableFilter,
  config: MysqlConfig,
): Promise<SourceFinding[]> {
  const { allowed } = await session.one(
    "SELECT @@GLOBAL.sql_mode NOT LIKE '%NO_ZERO_DATE%' OR @@GLOBAL.sql_mode NOT LIKE '%STRICT%' AS allowed",
  );
  return tables.flatMap((table) => [
    ...adviseOnEngine(table),
    ...adviseOnKey(table),
    ...adviseOnValues(table, filter, config, allowed === '1'),
  ]);
}

interface RowsElsewhere {
  readonly why: string;
  readonly way: (name: string) => string;
}

/** Engines whose tables keep no rows: they show those of others, which are in the binlog under other names, if at all, or none. */
const elsewhere: Readonly<Record<string, RowsElsewhere>> = {
  MRG_MYISAM: {
    why: 'shows the rows of the tables in its UNION, and what is written to those comes under their names, not under its own',
    way: (name) =>
      `capture those tables instead (SHOW CREATE TABLE ${name} names them), and leave it out by table.exclude.list; or give it rows of its own: ALTER TABLE ${name} ENGINE = InnoDB`,
  },
  FEDERATED: otherServer(),
  SPIDER: otherServer(),
  CONNECT: {
    why: 'shows data that is kept outside of the server, and what happens to that is not in its binlog',
    way: (name) =>
      `leave it out by table.exclude.list, or copy it to a table of its own: CREATE TABLE COPY AS SELECT * FROM ${name}`,
  },
  BLACKHOLE: {
    why: 'keeps no rows: what is inserted comes by the binlog, and goes here when the table is read again',
    way: (name) => `ALTER TABLE ${name} ENGINE = InnoDB`,
  },
};

function otherServer(): RowsElsewhere {
  return {
    why: 'shows rows of another server, and what is written there is not in the binlog of this one',
    way: (name) =>
      `capture that server (SHOW CREATE TABLE ${name} says which), and leave the table out by table.exclude.list`,
  };
}

function adviseOnEngine(table: TableSchema): SourceFinding[] {
  const engine = table.engine.toUpperCase();
  if (transactional.has(engine)) return [];
  const name = tableName(table);
  const without = elsewhere[engine];
  if (without !== undefined)
    return [
      {
        severity: 'warning',
        code: 'rows-elsewhere',
        object: name,
        message: `table ${name} is of engine ${table.engine}, which ${without.why}`,
        hint: without.way(quoted(table)),
      },
    ];
  const kept = engine === 'MEMORY' ? '; it is empty after a restart of the server' : '';
  return [
    {
      severity: 'warning',
      code: 'non-transactional-engine',
      object: name,
      message: `table ${name} is of engine ${table.engine}: what a transaction does to it stays when the transaction is rolled back, and is seen before it ends${kept}`,
      hint: `ALTER TABLE ${quoted(table)} ENGINE = InnoDB`,
    },
  ];
}

function adviseOnKey(table: TableSchema): SourceFinding[] {
  const name = tableName(table);
  if (keyLookup(table) === undefined) {
    return [
      {
        severity: 'warning',
        code: 'inexact-key',
        object: name,
        message: `the key of ${name} has a column whose values cannot be compared exactly (FLOAT, DOUBLE): rows that go while the table is read again are not found, nor by verify`,
        hint: 'make its key of exact types, such as DECIMAL',
      },
    ];
  }
  const texts = table.keyColumns.filter((i) => {
    const { form } = table.columns[i]!;
    return form.kind === 'text' && form.charset !== 'binary';
  });
  if (texts.length === 0) return [];
  const columns = texts.map((i) => table.columns[i]!.name).join(', ');
  return [
    {
      severity: 'note',
      code: 'text-key',
      object: name,
      message: `the key of ${name} is text (${columns}): the server compares it by its collation, here it is letter by letter, so that a row is asked for as it is spelled`,
    },
  ];
}

function adviseOnValues(
  table: TableSchema,
  filter: TableFilter,
  { modes }: MysqlConfig,
  zeroDatesAllowed: boolean,
): SourceFinding[] {
  const name = tableName(table);
  const columns = table.columns.filter((column) => filter.capturesColumn(table.database, table.table, column.name));
  const named = (...kinds: readonly string[]) =>
    columns.filter(({ form }) => kinds.includes(form.kind)).map((column) => column.name);
  const findings: SourceFinding[] = [];
  const dates = named('date', 'datetime', 'timestamp');
  if (modes.zeroDates === 'stop' && zeroDatesAllowed && dates.length > 0) {
    findings.push({
      severity: 'warning',
      code: 'zero-dates',
      property: zeroDatesProperty,
      object: name,
      message: `sql_mode of the server lets zero dates in, and one in ${name} (${dates.join(', ')}) stops its capture (${zeroDatesProperty}=stop)`,
      hint: `${zeroDatesProperty}=text, or null; or SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE')`,
    });
  }
  const times = named('time');
  if (modes.timeRange === 'stop' && times.length > 0) {
    findings.push({
      severity: 'warning',
      code: 'time-range',
      property: timeRangeProperty,
      object: name,
      message: `a TIME below 0 or from 24 hours on in ${name} (${times.join(', ')}) stops its capture (${timeRangeProperty}=stop)`,
      hint: `${timeRangeProperty}=exact, text or null`,
    });
  }
  return findings;
}

function quoted({ database, table }: TableSchema): string {
  return `${quoteName(database)}.${quoteName(table)}`;
}
