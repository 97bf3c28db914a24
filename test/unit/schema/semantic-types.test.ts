// What schemas in JSON say of columns beyond their types: by Debezium's names, in records and in the registry. Readers pass over the schema
// that stands in a record, whatever it says.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/connect/connector-config.js';
import { planTable } from '../../../src/connect/table-plan.js';
import { connectKeySchema, connectValueSchema, payloadStart } from '../../../src/schema/formats/connect-json.js';
import { jsonSchemaOf } from '../../../src/schema/formats/json-schema.js';
import { tableFields } from '../../../src/schema/formats/row-encoder-options.js';
import { createValueDecoder } from '../../../src/schema/formats/value-decoder.js';
import { CapturedTables } from '../../../src/source/mysql/captured-tables.js';
import { sourceColumn, type ColumnForm } from '../../../src/source/mysql/column-form.js';
import { labelsOf } from '../../../src/source/mysql/column-labels.js';
import { parseConfig } from '../../../src/source/mysql/config.js';
import { TableFilter } from '../../../src/source/mysql/filters.js';
import { silentLogger } from '../../../src/core/logger.js';
import { createChunkBuilder } from '../../../src/schema/formats/chunk-builder.js';
import { createRowEncoder } from '../../../src/schema/formats/row-encoder.js';

const data = 'io.debezium.data.';
const integer = (bytes: 1 | 2 | 3 | 4, unsigned = false): ColumnForm => ({ kind: 'integer', bytes, unsigned });
const labels = labelsOf("enum('a','b,c','it''s')");

describe('the schema of a column', () => {
  const cases: readonly (readonly [ColumnForm, Record<string, unknown>])[] = [
    [integer(1), { type: 'int16' }],
    [integer(1, true), { type: 'int16' }],
    [integer(2), { type: 'int16' }],
    [integer(2, true), { type: 'int32' }],
    [integer(3), { type: 'int32' }],
    [integer(4), { type: 'int32' }],
    [{ kind: 'float' }, { type: 'float' }],
    [{ kind: 'double' }, { type: 'double' }],
    [{ kind: 'year' }, { type: 'int32', name: 'io.debezium.time.Year', version: 1 }],
    [{ kind: 'json' }, { type: 'string', name: `${data}Json`, version: 1 }],
    [{ kind: 'bit', bits: 1 }, { type: 'boolean' }],
    [
      { kind: 'bit', bits: 12 },
      { type: 'bytes', name: `${data}Bits`, version: 1, parameters: { length: '12' } },
    ],
    [
      { kind: 'enum', charset: 'utf8mb4' },
      { type: 'string', name: `${data}Enum`, version: 1, parameters: { allowed: "a,b\\,c,it's" } },
    ],
    [
      { kind: 'set', charset: 'utf8mb4' },
      { type: 'string', name: `${data}EnumSet`, version: 1, parameters: { allowed: "a,b\\,c,it's" } },
    ],
    [{ kind: 'text', name: 'text', charset: 'utf8mb4' }, { type: 'string' }],
  ];

  it.each(cases)('of %j is %j', (form, wanted) => {
    const columns = [sourceColumn({ name: 'x', nullable: false, form }, 'd.t.x', labels)];
    const table = { database: 'd', table: 't', columns, keyColumns: [0] };
    const { value, key } = tableFields(table);
    const { fields } = JSON.parse(connectValueSchema('d.t', value, 'debezium')) as { fields: unknown[] };
    expect(fields).toEqual([{ ...wanted, optional: true, field: 'x' }]);
    const ofKey = JSON.parse(connectKeySchema('d.t', key, 'debezium', 'object')) as { fields: unknown[] };
    expect(ofKey.fields).toEqual([{ ...wanted, optional: false, field: 'x' }]);
    expect(JSON.parse(connectKeySchema('d.t', key, 'debezium', 'bare'))).toEqual({ ...wanted, optional: false });
  });

  it('is in the registry what Confluent’s converter makes of it', () => {
    const of = (form: ColumnForm) => {
      const columns = [sourceColumn({ name: 'x', nullable: false, form }, 'd.t.x', labels)];
      const { key } = tableFields({ database: 'd', table: 't', columns, keyColumns: [0] });
      return JSON.parse(jsonSchemaOf(connectKeySchema('d.t', key, 'debezium', 'bare'))) as unknown;
    };
    expect(of(integer(2))).toEqual({ type: 'integer', 'connect.type': 'int16' });
    expect(of({ kind: 'float' })).toEqual({ type: 'number', 'connect.type': 'float32' });
    expect(of({ kind: 'year' })).toMatchObject({ type: 'integer', title: 'io.debezium.time.Year' });
    expect(of({ kind: 'enum', charset: 'utf8mb4' })).toMatchObject({
      title: `${data}Enum`,
      'connect.parameters': { allowed: "a,b\\,c,it's" },
    });
  });

  it('stays under a mask and another name, and goes where a cast makes another type', () => {
    const kafka = 'org.apache.kafka.connect.transforms.';
    const { output } = checkConfig('c', {
      'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
      'database.hostname': 'h',
      'database.user': 'u',
      'database.password': 'p',
      'topic.prefix': 'shop',
      transforms: 'unwrap,names,cast,mask',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.names.type': `${kafka}ReplaceField$Value`,
      'transforms.names.renames': 'e:kind',
      'transforms.cast.type': `${kafka}Cast$Value`,
      'transforms.cast.spec': 'n:string',
      'transforms.mask.type': `${kafka}MaskField$Value`,
      'transforms.mask.fields': 'y',
    });
    const forms: Record<string, ColumnForm> = {
      id: integer(4),
      e: { kind: 'enum', charset: 'utf8mb4' },
      n: integer(2),
      y: { kind: 'year' },
    };
    const columns = Object.entries(forms).map(([name, form]) =>
      sourceColumn({ name, nullable: true, form }, `d.t.${name}`, labels),
    );
    const { table } = planTable({ database: 'd', table: 't', columns, keyColumns: [0] }, output);
    expect(table.columns.map(({ name, semanticType }) => [name, semanticType?.kind])).toEqual([
      ['id', undefined],
      ['kind', 'enum'],
      ['n', undefined],
      ['y', 'year'],
    ]);
  });
});

describe('a table that is open', () => {
  const config = {
    'connector.class': 'mysql',
    'database.hostname': 'h',
    'database.user': 'u',
    'database.password': 'p',
  };
  const filter = new TableFilter(
    parseConfig(
      checkConfig('c', {
        ...config,
        'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
        'topic.prefix': 'p',
      }).source,
    ),
  );
  const table = (form: ColumnForm, of: readonly string[] = []) => ({
    database: 'd',
    table: 't',
    columns: [
      { name: 'id', nullable: false, form: integer(4) },
      { name: 'x', nullable: true, form },
    ],
    keyColumns: [0],
    labels: new Map([['x', of]]),
  });
  const opened = async (first: ReturnType<typeof table>, then: ReturnType<typeof table>) => {
    let count = 0;
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    const captured = new CapturedTables(
      filter,
      async (source) => {
        count++;
        const form = { keyFormat: 'JSON', valueFormat: 'JSON', keyShape: 'object', shape: 'flat' } as const;
        return createRowEncoder({ table: source, topic: 't', partitions: 1, chunks, ...form });
      },
      silentLogger,
    );
    const isAs = captured.isAs(await captured.open(first), then);
    await captured.open(then);
    return { isAs, count };
  };

  it('is opened again where its schema says something else', async () => {
    expect(await opened(table(integer(2)), table(integer(4)))).toEqual({ isAs: false, count: 2 });
    expect(await opened(table({ kind: 'bit', bits: 8 }), table({ kind: 'bit', bits: 9 }))).toEqual({
      isAs: false,
      count: 2,
    });
    expect(await opened(table(integer(2)), table(integer(2)))).toEqual({ isAs: true, count: 1 });
  });

  it('is not another one by labels, of which a table map says nothing to be compared', async () => {
    const form: ColumnForm = { kind: 'enum', charset: 'utf8mb4' };
    expect(await opened(table(form, ['a']), table(form, ['a', 'b']))).toEqual({ isAs: true, count: 2 });
  });
});

describe('a reader of records with schemas', () => {
  const schema = {
    columns: [
      { name: 'id', type: { kind: 'INTEGER' } },
      { name: 't', type: { kind: 'STRING' } },
    ],
    keyColumns: [0],
  } as const;
  const decode = (...texts: readonly string[]) => {
    const decoder = createValueDecoder({ format: 'JSON', schema, hasSchema: true });
    return texts.map((text) => decoder.decode(Buffer.from(`  ${text}  `), 2, Buffer.byteLength(text) + 2));
  };

  it('takes every schema, also from one record to the next', () => {
    const other = fc.constantFrom('{}', '{"a":"}{\\\\"}', '{"f":[{"x":1},{"y":"é\\\\\\""}]}', 'null', '"text"');
    const space = fc.constantFrom('', ' ');
    const record = fc.record({ schema: other, id: fc.integer({ min: 0, max: 9 }), t: fc.string(), gap: space });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 6 }), (records) => {
        const texts = records.map(
          ({ schema: text, id, t, gap }) => `{"schema":${text},${gap}"payload":{"id":${id},"t":${JSON.stringify(t)}}}`,
        );
        expect(decode(...texts)).toEqual(records.map(({ id, t }) => [id, t]));
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('reads what is written otherwise as it is', () => {
    const payload = '{"id":1,"t":"a"}';
    expect(decode(`{"schema":{},"payload":${payload}}`, payload, `{"payload":${payload},"schema":{"a":1}}`)).toEqual([
      [1, 'a'],
      [1, 'a'],
      [1, 'a'],
    ]);
    expect(decode(`{"schema":{},"payload":${payload},"id":7,"t":"b"}`)).toEqual([[7, 'b']]);
    expect(decode(`{"schema":{},"payload":null}`)).toEqual([null]);
    expect(() => decode(`{"schema":{},"payload":${payload}`)).toThrow();
  });

  it('finds the payload where it is', () => {
    const at = (text: string) => payloadStart(Buffer.from(text), 0, Buffer.byteLength(text));
    expect(at('{"schema":{"a":"}"},"payload":1}')).toBe(30);
    expect(at(String.raw`{"schema":{"a":"\"}"},"payload":1}`)).toBe(32);
    expect(at('{"schema":{"a":"}"}, "payload":1}')).toBe(-1);
    expect(at('{"schema":{"a":"')).toBe(-1);
    expect(at('{"payload":1}')).toBe(-1);
  });
});
