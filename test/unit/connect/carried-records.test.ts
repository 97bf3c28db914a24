// Rows that are carried over behind a statement about columns, whatever the configuration makes of them: they are the records that reading the
// table again would give. By the encoders themselves over a small model of the server.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/connect/connector-config.js';
import type { OutputSettings } from '../../../src/connect/output-settings.js';
import { planTable } from '../../../src/connect/table-plan.js';
import { tableRecords } from '../../../src/connect/table-records.js';
import type { Row, Value } from '../../../src/core/data-type.js';
import { carriedColumns, carryRow } from '../../../src/core/schema-change.js';
import { createChunkBuilder } from '../../../src/schema/formats/chunk-builder.js';
import { ProjectedRowEncoder } from '../../../src/schema/formats/projected-row-encoder.js';
import { createRowEncoder } from '../../../src/schema/formats/row-encoder.js';
import { createValueDecoder } from '../../../src/schema/formats/value-decoder.js';
import { writeValue } from '../../../src/schema/formats/write-value.js';
import { rowsAreCarried, together, type AlteredTable } from '../../../src/source/mysql/altered-tables.js';
import type { ColumnForm, TableColumn } from '../../../src/source/mysql/column-form.js';
import { parseConfig } from '../../../src/source/mysql/config.js';
import { TableFilter } from '../../../src/source/mysql/filters.js';
import { classify } from '../../../src/source/mysql/statement.js';
import { sourceTable } from '../../../src/source/mysql/table-schema.js';
import { recordSet } from '../../support/chunk.js';

const base = {
  'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
  'database.hostname': 'h',
  'database.user': 'u',
  'database.password': 'p',
  'topic.prefix': 'shop',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
};
const kafka = 'org.apache.kafka.connect.transforms.';
const unwrap = { transforms: 'unwrap', 'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState' };
const one = (type: string, settings: Record<string, string>) => ({
  transforms: 'unwrap,t',
  'transforms.unwrap.type': unwrap['transforms.unwrap.type'],
  'transforms.t.type': kafka + type,
  ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`transforms.t.${name}`, value])),
});

/** What NULL is hidden by is in no row that is there. */
const hides = { ...unwrap, 'column.mask.with.5.chars': 'd.t.b' };
const configs: Readonly<Record<string, Record<string, string>>> = {
  'the values of the source': unwrap,
  envelopes: {},
  'decimals as text': { 'decimal.handling.mode': 'string' },
  'decimals as doubles': { ...unwrap, 'decimal.handling.mode': 'double' },
  'unsigned numbers as they are': { 'bigint.unsigned.handling.mode': 'precise' },
  'unsigned numbers in 64 bits': { ...unwrap, 'bigint.unsigned.handling.mode': 'long' },
  'times in milliseconds': { ...unwrap, 'time.precision.mode': 'connect' },
  'times as the columns have them': { 'time.precision.mode': 'adaptive' },
  'bytes in Base64': { ...unwrap, 'binary.handling.mode': 'base64' },
  'bytes in hexadecimal digits': { 'binary.handling.mode': 'hex' },
  'hashes of text': { ...unwrap, 'column.mask.hash.v2.SHA-256.with.salt.s': 'd.t.b' },
  'the beginning of text': { 'column.truncate.to.3.chars': 'd.t.b' },
  'what NULL is hidden by': hides,
  'other names': one('ReplaceField$Value', { renames: 'a:z,b:a' }),
  'fields left out': one('ReplaceField$Value', { exclude: 'b,n' }),
  'fields let in': one('ReplaceField$Value', { include: 'id,a,n' }),
  masks: one('MaskField$Value', { fields: 'n,a' }),
  casts: one('Cast$Value', { spec: 'n:string' }),
  'times as text': one('TimestampConverter$Value', {
    field: 'w',
    'target.type': 'string',
    format: "yyyy-MM-dd'T'HH:mm:ss",
  }),
  'what is told of the change': { ...unwrap, 'transforms.unwrap.add.fields': 'op,table,source.db' },
};

interface Kind {
  readonly sql: string;
  readonly form: ColumnForm;
  readonly value: Value;
}
const integer = (bytes: 2 | 4 | 8, unsigned: boolean): ColumnForm => ({ kind: 'integer', bytes, unsigned });
const varchar = (chars: number): ColumnForm => ({ kind: 'text', name: `varchar(${chars})`, charset: 'utf8mb4' });
/** What each column is at first, and what it may become. */
const kinds: Readonly<Record<string, readonly Kind[]>> = {
  a: [
    { sql: 'DECIMAL(9,2)', form: { kind: 'decimal', precision: 9, scale: 2 }, value: 1250 },
    { sql: 'DECIMAL(12,2)', form: { kind: 'decimal', precision: 12, scale: 2 }, value: 1250 },
    { sql: 'DECIMAL(12,3)', form: { kind: 'decimal', precision: 12, scale: 3 }, value: 12500 },
  ],
  b: [
    { sql: 'VARCHAR(9)', form: varchar(9), value: 'nine text' },
    { sql: 'VARCHAR(40)', form: varchar(40), value: 'nine text' },
    { sql: 'VARCHAR(4)', form: varchar(4), value: 'nine' },
  ],
  n: [
    { sql: 'INT UNSIGNED', form: integer(4, true), value: 70_000 },
    { sql: 'BIGINT UNSIGNED', form: integer(8, true), value: 70_000 },
    { sql: 'SMALLINT', form: integer(2, false), value: 32_767 },
  ],
  x: [
    { sql: 'VARBINARY(4)', form: { kind: 'bytes', name: 'varbinary(4)', padTo: 0 }, value: Buffer.from([1, 254]) },
    { sql: 'VARBINARY(9)', form: { kind: 'bytes', name: 'varbinary(9)', padTo: 0 }, value: Buffer.from([1, 254]) },
  ],
  t: [{ sql: 'TIME', form: { kind: 'time', digits: 0 }, value: 3_600_000_000 }],
  w: [
    { sql: 'DATETIME(3)', form: { kind: 'datetime', digits: 3 }, value: 1_700_000_000_123_000 },
    { sql: 'DATETIME', form: { kind: 'datetime', digits: 0 }, value: 1_700_000_000_000_000 },
  ],
};
const idColumn: TableColumn = { name: 'id', nullable: false, form: integer(4, false) };

/** A column that the server has, with the one value of it that is in the row. */
interface ServerColumn {
  readonly name: string;
  readonly form: ColumnForm;
  readonly value: Value;
}

const filter = new TableFilter(parseConfig(checkConfig('c', base).source));

function tableOf(columns: readonly ServerColumn[]) {
  const forms = columns.map(({ name, form }): TableColumn => ({ name, form, nullable: true }));
  const all = [idColumn, ...forms];
  return { columns: all, source: sourceTable({ database: 'd', table: 't', columns: all, keyColumns: [0] }, filter) };
}

/** The row as its record has it, by columns of the record. */
function recordOf(columns: readonly ServerColumn[], output: OutputSettings): Row {
  const { source } = tableOf(columns);
  const plan = planTable(source, output);
  const chunks = createChunkBuilder({ chunkBytes: 10_000 });
  const envelope = output.envelope && { ...output.envelope, server: output.topicPrefix, version: '1' };
  const inner = createRowEncoder({ ...output, ...plan, envelope, keySchemaId: 1, valueSchemaId: 2, chunks });
  const encoder = plan.projection ? new ProjectedRowEncoder(source, inner, plan.projection, chunks.origin) : inner;
  const to = encoder.beginRow('c');
  for (const [i, value] of [1, ...columns.map((each) => each.value)].entries())
    writeValue(to, source.columns[i]!.type, value);
  encoder.endRow();
  chunks.endAppend({ position: 'p', commitTimeUs: 0 });
  const value = recordSet(chunks.take()!).value(0)!;
  const decoder = createValueDecoder({ format: output.valueFormat, schema: plan.table, wrapping: output.shape });
  return decoder.decode(value, 0, value.length)!;
}

function noted(clause: string, before: readonly TableColumn[]): AlteredTable {
  const statement = classify(`ALTER TABLE t ${clause}`);
  const effect = statement.kind === 'table-change' ? statement.effects[0] : undefined;
  if (effect?.does !== 'columns') throw new Error(`${clause} is not known`);
  const modified = before.filter(({ name }) => effect.columns.modified.includes(name));
  return { ...effect.columns, table: 'd.t', cause: 'ALTER', before: modified };
}

/** As `Alterations` asks for the proof. */
function isProved(
  altered: AlteredTable,
  before: readonly ServerColumn[],
  now: readonly ServerColumn[],
  output: OutputSettings,
): boolean {
  const { columns, source } = tableOf(now);
  const formBefore = ({ name, form, value }: ServerColumn): ServerColumn => ({
    name,
    value,
    form: altered.before.find((each) => each.name === name)?.form ?? form,
  });
  return rowsAreCarried(altered, tableRecords(tableOf(before).source, output), {
    records: tableRecords(source, output),
    recordsBefore: tableRecords(tableOf(now.map(formBefore)).source, output),
    columns,
    generated: false,
  });
}

const columnOf = (name: string, place = 0, isNull = false): ServerColumn => {
  const { form, value } = kinds[name]![place]!;
  return { name, form, value: isNull ? null : value };
};
const first = ['a', 'n', 'w'].map((name) => columnOf(name));

describe.each(Object.entries(configs))('rows that are carried over: %s', (_, config) => {
  const { output } = checkConfig('c', { ...base, ...config });

  it('are the records that are read again', () => {
    const step = fc
      .constantFrom(...Object.keys(kinds))
      .chain((name) =>
        fc.tuple(
          fc.constant(name),
          fc.constantFrom('ADD', 'DROP', 'MODIFY'),
          fc.nat({ max: kinds[name]!.length - 1 }),
          fc.boolean(),
        ),
      );
    let proofs = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
        let columns = first;
        let altered: AlteredTable | undefined;
        for (const [name, verb, place, isFirst] of steps) {
          if (columns.some((each) => each.name === name) === (verb === 'ADD')) continue;
          const { sql } = kinds[name]![place]!;
          const clause = verb === 'DROP' ? `DROP ${name}` : `${verb} ${name} ${sql}${isFirst ? ' FIRST' : ''}`;
          // Only until the first statement the stream has seen the columns.
          const next = noted(clause, altered === undefined ? tableOf(columns).columns : []);
          altered = altered === undefined ? next : together(altered, next);
          if (altered === undefined) return;
          const [is, rest] = [columns.filter((each) => each.name === name), columns.filter((x) => x.name !== name)];
          const wasNull = verb === 'ADD' || is.some(({ value }) => value === null);
          const put = verb === 'DROP' ? [] : [columnOf(name, place, wasNull)];
          columns = isFirst
            ? [...put, ...rest]
            : verb === 'MODIFY'
              ? columns.map((x) => put.find((y) => y.name === x.name) ?? x)
              : [...rest, ...put];
        }
        if (altered === undefined || !isProved(altered, first, columns, output)) return;
        proofs++;
        const [from, to] = [first, columns].map((each) => tableRecords(tableOf(each).source, output).columns);
        expect(carryRow(recordOf(first, output), carriedColumns(from!, to!))).toEqual(recordOf(columns, output));
      }),
      { seed: 12, numRuns: 400 },
    );
    expect(proofs).toBeGreaterThan(60);
  });

  it.each(Object.keys(kinds).filter((name) => first.every((each) => each.name !== name)))(
    'ADD COLUMN %s is carried',
    (name) => {
      const now = [...first, columnOf(name, 0, true)];
      const altered = noted(`ADD COLUMN ${name} ${kinds[name]![0]!.sql}`, []);
      const isTaken = tableRecords(tableOf(first).source, output).columns.some(
        (each) => each.name === tableRecords(tableOf(now).source, output).nameOf(name),
      );
      expect(isTaken).toBe(false);
      expect(isProved(altered, first, now, output)).toBe(!(config === hides && name === 'b'));
    },
  );

  it.each(first.map(({ name }) => name))('DROP COLUMN %s is carried', (name) => {
    const altered = noted(`DROP COLUMN ${name}`, []);
    const now = first.filter((each) => each.name !== name);
    expect(isProved(altered, first, now, output)).toBe(true);
  });
});

it('a column that becomes BIGINT UNSIGNED is carried where its numbers are told in 64 bits', () => {
  const { output } = checkConfig('c', { ...base, ...configs['unsigned numbers in 64 bits'] });
  const altered = noted('MODIFY n BIGINT UNSIGNED', tableOf(first).columns);
  const now = first.map((each) => (each.name === 'n' ? columnOf('n', 1) : each));
  expect(isProved(altered, first, now, output)).toBe(true);
});

describe('rows that have to be read again', () => {
  const { output } = checkConfig('c', { ...base, ...one('ReplaceField$Value', { renames: 'a:z,b:z' }) });

  it('a column whose name in the records another one had', () => {
    const now = [columnOf('b', 0, true), columnOf('n'), columnOf('w')];
    const altered = noted('DROP a, ADD b VARCHAR(9)', []);
    expect(isProved(altered, first, now, output)).toBe(false);
  });

  it('a column of which something else is made than before', () => {
    const { output: long } = checkConfig('c', { ...base, 'column.truncate.to.3.chars': 'd.t.b' });
    const before = [columnOf('b')];
    const altered = noted('MODIFY b VARCHAR(40)', tableOf(before).columns);
    expect(isProved(altered, before, [columnOf('b', 1)], long)).toBe(true);
    const records = tableRecords(tableOf(before).source, long);
    const now = { records, columns: tableOf([columnOf('b', 1)]).columns, generated: false };
    expect(rowsAreCarried(altered, records, { ...now, recordsBefore: undefined })).toBe(false);
  });
});
