// Transforms and converters of a configuration: what the records of a table come to, and what is refused with the way out.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inspectConfig } from '../../../src/connect/config-inspection.js';
import { checkConfig } from '../../../src/connect/connector-config.js';
import { TopicNames } from '../../../src/connect/naming.js';
import { planTable } from '../../../src/connect/table-plan.js';
import { renamed } from '../../../src/connect/transforms/topic-rename.js';
import { BIGINT, BOOLEAN, BYTES, INTEGER, STRING, type DataType, type Value } from '../../../src/core/data-type.js';
import type { AppError } from '../../../src/core/errors.js';
import type { RecordSet } from '../../../src/core/record.js';
import type { ChangeOrigin } from '../../../src/core/change-origin.js';
import type { RowEncoder, SourceTable, ValueWriter } from '../../../src/core/row-encoder.js';
import { createChunkBuilder } from '../../../src/schema/formats/chunk-builder.js';
import { ProjectedRowEncoder } from '../../../src/schema/formats/projected-row-encoder.js';
import { createRowEncoder } from '../../../src/schema/formats/row-encoder.js';
import { createKeyDecoder, createValueDecoder } from '../../../src/schema/formats/value-decoder.js';
import { avroKeySchema, avroValueSchema } from '../../../src/schema/formats/avro-schema.js';
import { avroEnvelopeSchema } from '../../../src/schema/formats/envelope.js';
import { tableFields } from '../../../src/schema/formats/row-encoder-options.js';
import { parseConfig } from '../../../src/source/mysql/config.js';
import { TableFilter } from '../../../src/source/mysql/filters.js';
import { formattedTime } from '../../../src/schema/formats/time-conversion.js';
import { writeValue } from '../../../src/schema/formats/write-value.js';
import { headersOf, recordSet, recordsOf } from '../../support/chunk.js';

const debezium = 'io.debezium.connector.mysql.MySqlConnector';
const json = 'org.apache.kafka.connect.json.JsonConverter';
const kafka = 'org.apache.kafka.connect.transforms.';
const base = {
  'connector.class': debezium,
  'database.hostname': 'h',
  'database.user': 'u',
  'database.password': 'p',
  'topic.prefix': 'shop',
};
const unwrap = { transforms: 'unwrap', 'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState' };
const predicate = (type: string, pattern: string) => ({
  predicates: 'p',
  'predicates.p.type': `${kafka}predicates.${type}`,
  ...(type === 'TopicNameMatches' ? { 'predicates.p.pattern': pattern } : {}),
});
const flatJson = { 'value.converter': json, 'value.converter.schemas.enable': 'false' };

const column = (name: string, type: DataType, sourceType: string = type.kind) => ({
  name,
  type,
  nullable: true,
  sourceType,
});
const people: SourceTable = {
  database: 'hr',
  table: 'people',
  columns: [
    { ...column('id', INTEGER), nullable: false },
    column('name', STRING),
    column('pay', { kind: 'DECIMAL', precision: 8, scale: 2 }),
    column('photo', BYTES),
    column('visits', { kind: 'DECIMAL', precision: 20, scale: 0 }, 'bigint unsigned'),
    column('seen', { kind: 'TIMESTAMP', digits: 6 }),
    column('active', BOOLEAN),
  ],
  keyColumns: [0],
};
const ann: readonly Value[] = [1, 'Ann', 12345, Buffer.from([1, 254]), 2n ** 64n - 1n, 1_700_000_000_123_456, true];

type Config = Readonly<Record<string, string>>;

function encoderOf(
  config: Config,
  table = people,
): {
  encoder: RowEncoder;
  origin: ChangeOrigin;
  taken: () => RecordSet;
  take: () => Record<string, unknown>[];
} {
  const { output } = checkConfig('c', { ...base, ...config });
  const plan = planTable(table, output);
  const chunks = createChunkBuilder({ chunkBytes: 10_000 });
  const envelope = output.envelope && { ...output.envelope, server: output.topicPrefix, version: '1' };
  const inner = createRowEncoder({ ...output, ...plan, envelope, keySchemaId: 1, valueSchemaId: 2, chunks });
  const encoder = plan.projection ? new ProjectedRowEncoder(table, inner, plan.projection, chunks.origin) : inner;
  const taken = () => {
    chunks.endAppend({ position: 'p', commitTimeUs: 0 });
    return recordSet(chunks.take()!);
  };
  return {
    encoder,
    origin: chunks.origin,
    taken,
    take: () => recordsOf(taken()).map(({ topic, key, value }) => ({ topic, key, value })),
  };
}

function write(encoder: RowEncoder, row: readonly Value[], op: 'c' | 'd' = 'c', table = people): void {
  const to = op === 'd' ? encoder.beginDelete() : encoder.beginRow(op);
  const columns = op === 'd' && encoder.oldRow === 'key' ? table.keyColumns : table.columns.keys();
  for (const i of columns) writeValue(to, table.columns[i]!.type, row[i]!);
  if (op === 'd') encoder.endDelete();
  else encoder.endRow();
}

/** One row and its delete. */
function records(config: Config, row = ann) {
  const { encoder, take } = encoderOf(config);
  write(encoder, row);
  write(encoder, row, 'd');
  return take();
}

const errors = (config: Config) =>
  inspectConfig('c', { ...base, ...config }).findings.filter(({ severity }) => severity === 'error');
const planError = (config: Config, table = people): AppError => {
  try {
    planTable(table, checkConfig('c', { ...base, ...config }).output);
  } catch (error) {
    return error as AppError;
  }
  throw new Error('it was planned');
};

describe("Debezium's class with ExtractNewRecordState", () => {
  const plain = `{"id":1,"name":"Ann","pay":123.45,"photo":"Af4=","visits":18446744073709551615,"seen":1700000000123456,"active":true`;

  it('and a JSON converter without schemas is the flat JSON of ours', () => {
    expect(records({ ...unwrap, ...flatJson, 'key.converter': json, 'key.converter.schemas.enable': 'false' })).toEqual(
      [
        { topic: 'shop.hr.people', key: '{"id":1}', value: `${plain}}` },
        { topic: 'shop.hr.people', key: '{"id":1}', value: null },
      ],
    );
  });

  it.each([
    [{ 'delete.tombstone.handling.mode': 'rewrite' }, ['false', 'true']],
    [{ 'delete.tombstone.handling.mode': 'rewrite-with-tombstone' }, ['false', 'true', null]],
    [{ 'delete.tombstone.handling.mode': 'delete-to-tombstone' }, ['', null]],
    [{ 'delete.handling.mode': 'rewrite' }, ['false', 'true']],
    [{ 'delete.handling.mode': 'rewrite', 'drop.tombstones': 'false' }, ['false', 'true', null]],
    [{ 'delete.handling.mode': 'none' }, ['', null]],
    [{ 'drop.tombstones': 'false' }, ['', null]],
  ] as const)('makes of a delete what %j says', (settings, values) => {
    const more = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`transforms.unwrap.${key}`, value]),
    );
    expect(records({ ...unwrap, ...more }).map(({ value }) => value)).toEqual(
      values.map((mark) => (mark === null ? null : mark === '' ? `${plain}}` : `${plain},"__deleted":"${mark}"}`)),
    );
  });

  it('adds fields that are the same for a table, and the operation', () => {
    const found = records({
      ...unwrap,
      'transforms.unwrap.add.fields': 'op,table,source.db,name:server',
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
    });
    const extra = (op: string) => `"__op":"${op}","__table":"people","__source_db":"hr","__server":"shop"`;
    expect(found.map(({ value }) => value)).toEqual([
      `${plain},${extra('c')},"__deleted":"false"}`,
      `${plain},${extra('d')},"__deleted":"true"}`,
    ]);
  });

  it('adds what the source tells of the change', () => {
    const { encoder, take, origin } = encoderOf({
      ...unwrap,
      'transforms.unwrap.add.fields': 'op,source.ts_ms,pos,source.gtid,source.row:n,source.ts_ns,transaction.id',
    });
    origin.transactionOf('file=b.1,pos=4', 1_700_000_000_123_456, false);
    origin.event('b.1', 700, 1, 0);
    write(encoder, ann);
    write(encoder, ann);
    const told = (row: number) =>
      `${plain},"__op":"c","__source_ts_ms":1700000000123,"__pos":700,"__source_gtid":null,"__n":${row},` +
      `"__source_ts_ns":1700000000123456000,"__transaction_id":"file=b.1,pos=4"}`;
    expect(take().map(({ value }) => value)).toEqual([told(0), told(1)]);
  });

  /** Of a row whose key stands behind a text. */
  const updateKey = (encoder: RowEncoder, from: number, to: number) => {
    encoder.beginOld().integer(from);
    encoder.endOld();
    const values = encoder.beginRow('u');
    values.string('x');
    values.integer(to);
    encoder.endRow();
  };

  it.each<Config>([
    {},
    { 'output.key.format': 'JSON', 'transforms.unwrap.add.fields': 'op' },
    { 'output.key.format': 'AVRO', 'output.data.format': 'AVRO' },
    { 'output.key.shape': 'bare', 'value.converter': json },
  ])('adds headers, and rows are what they are without: %j', (config) => {
    const table = { ...people, columns: [people.columns[1]!, people.columns[0]!], keyColumns: [1] };
    const play = (more: Config): RecordSet => {
      const { encoder, taken, origin } = encoderOf({ ...unwrap, ...config, ...more }, table);
      origin.transactionOf('file=b.1,pos=4', 1_700_000_000_123_456, false);
      origin.event('b.1', 700, 1, 0);
      updateKey(encoder, 1, 1);
      updateKey(encoder, 1, 2);
      write(encoder, ['y', 3], 'c', table);
      encoder.beginDelete().integer(3);
      encoder.endDelete();
      return taken();
    };
    const without = play({});
    const set = play({ 'transforms.unwrap.add.headers': 'op,table,source.ts_ms,pos:at,source.gtid,op:o' });
    expect(headersOf(without)).toEqual([null, null, null, null, null]);
    expect(recordsOf(set)).toEqual(recordsOf(without));
    const told = (op: string) => ({
      __op: op,
      __table: 'people',
      __source_ts_ms: '1700000000123',
      __at: '700',
      __o: op,
    });
    expect(headersOf(set)).toEqual(['u', 'd', 'c', 'c', 'd'].map(told));
  });

  const stamp = { 'transforms.stamp.type': `${kafka}InsertHeader`, 'transforms.stamp.header': 'from' };

  it.each([{}, { 'key.converter': json, 'value.converter': json }, { 'output.data.format': 'AVRO' }])(
    'inserts a header into every record of an envelope, which stays what it is: %j',
    (config) => {
      const play = (more: Config): RecordSet => {
        const { encoder, taken, origin } = encoderOf({ ...config, ...more });
        origin.transactionOf('file=b.1,pos=4', 1_700_000_000_123_456, false);
        origin.event('b.1', 700, 1, 0);
        for (const id of [1, 2]) {
          const old = encoder.beginOld();
          for (const [i, value] of ann.entries()) writeValue(old, people.columns[i]!.type, value);
          encoder.endOld();
          write(encoder, [id, ...ann.slice(1)], 'u' as 'c');
        }
        write(encoder, ann, 'd');
        return taken();
      };
      const all = { transforms: 'stamp', ...stamp, 'transforms.stamp.value.literal': 'né' };
      const set = play(all);
      expect(headersOf(set)).toEqual(Array.from({ length: 6 }, () => ({ from: 'né' })));
      const withoutTimes = (records: RecordSet) =>
        recordsOf(records).map(({ value, ...rest }) => ({ ...rest, value: value?.replaceAll(/"ts_[mun]s":\d+/g, '') }));
      if (config['output.data.format'] === undefined) expect(withoutTimes(set)).toEqual(withoutTimes(play({})));
      const other = { ...all, 'transforms.stamp.predicate': 'p', ...predicate('TopicNameMatches', 'other') };
      expect(headersOf(play(other))).toEqual(Array.from({ length: 6 }, () => null));
    },
  );

  it('inserts a header into the tombstone behind a marked row, too', () => {
    const { encoder, taken } = encoderOf({
      transforms: 'unwrap,stamp',
      'transforms.unwrap.type': unwrap['transforms.unwrap.type'],
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
      'transforms.unwrap.add.headers': 'op',
      ...stamp,
      'transforms.stamp.value.literal': '1',
    });
    write(encoder, ann, 'd');
    expect(headersOf(taken())).toEqual([{ __op: 'd', from: '1' }, { from: '1' }]);
  });

  it('refuses headers of the log, and predicates that would ask for headers or tombstones', () => {
    const one = { transforms: 'stamp', ...stamp, 'transforms.stamp.value.literal': '1' };
    expect(errors({ ...one, 'transforms.stamp.header': 'gtid' })[0]!.message).toMatch(/itself has a header "gtid"/);
    const asked = (type: string) => ({ ...one, 'transforms.stamp.predicate': 'p', ...predicate(type, '.*') });
    expect(errors(asked('RecordIsTombstone'))[0]!.message).toMatch(/headers of its row/);
    const byHeader = { ...asked('HasHeaderKey'), 'predicates.p.name': 'x' };
    expect(errors(byHeader)[0]!.message).toMatch(/not asked for the headers/);
  });

  it('adds headers to a row that is marked as deleted, and none to the tombstone behind it', () => {
    const { encoder, taken } = encoderOf({
      ...unwrap,
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
      'transforms.unwrap.add.headers': 'op',
      'transforms.unwrap.add.headers.prefix': 'h.',
    });
    write(encoder, ann, 'r' as 'c');
    write(encoder, ann, 'd');
    expect(headersOf(taken())).toEqual([{ 'h.op': 'r' }, { 'h.op': 'd' }, null]);
  });

  it.each([
    ['JSON', 'JSON'],
    ['JSON', 'AVRO'],
    ['AVRO', 'AVRO'],
  ])('calls a row whose key has changed a new one, with keys in %s and values in %s', (key, value) => {
    const config = { 'output.key.format': key, 'output.data.format': value };
    const table = { ...people, columns: [people.columns[1]!, people.columns[0]!], keyColumns: [1] };
    const { encoder, take } = encoderOf(
      { ...unwrap, ...config, 'transforms.unwrap.add.fields': 'op,table,op:o' },
      table,
    );
    updateKey(encoder, 1, 1);
    updateKey(encoder, 1, 2);
    // In quotes, or behind the length of its text.
    const told = take().map((record) => {
      const text = (record['value'] as string | null)?.replaceAll('\u0002', '"');
      return text?.match(/(?<=")[cu](?="|$)/g);
    });
    expect(told).toEqual([['u', 'u'], undefined, ['c', 'c']]);
  });

  it.each([
    [{ 'delete.tombstone.handling.mode': 'drop' }, /rows that are gone/],
    [{ 'drop.tombstones': 'true' }, /no trace of deletes/],
    [{ 'add.headers': 'lsn' }, /header "lsn" is not written/],
    [{ 'add.headers': 'op', 'add.headers.prefix': '' }, /the log itself has a header "op"/],
    [{ 'add.headers': 'source.row' }, /"source.row" is not written/],
    [{ 'route.by.field': 'name' }, /per table/],
    [{ 'add.fields': 'lsn' }, /"lsn" is not written/],
  ])('refuses %j with the reason', (settings, reason) => {
    const more = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`transforms.unwrap.${key}`, value]),
    );
    const found = errors({ ...unwrap, ...more } as unknown as Config);
    expect(found).toHaveLength(1);
    expect(found[0]!.message).toMatch(reason);
    expect(found[0]!.hint).toBeDefined();
  });

  it('is needed for flat rows, and stands in front of what changes columns', () => {
    expect(errors({})).toEqual([]);
    const mask = { 'transforms.mask.type': `${kafka}MaskField$Value`, 'transforms.mask.fields': 'pay' };
    expect(errors({ transforms: 'mask', ...mask })).toMatchObject([
      { property: 'transforms.mask.type', hint: expect.stringContaining('ExtractNewRecordState') as string },
    ]);
    const before = {
      ...unwrap,
      transforms: 'mask,unwrap',
      ...mask,
    };
    expect(errors(before)).toMatchObject([
      { property: 'transforms.mask.type', hint: expect.stringContaining('behind') as string },
    ]);
  });

  it('changes nothing where rows are flat already', () => {
    const { findings } = inspectConfig('c', {
      ...base,
      ...unwrap,
      'after.state.only': 'true',
      'transforms.unwrap.add.fields': 'op',
    });
    expect(findings).toMatchObject([{ severity: 'note', message: expect.stringContaining('flat already') as string }]);
    const [first] = records({ ...unwrap, 'after.state.only': 'true', 'transforms.unwrap.add.fields': 'op' });
    expect(first!['value']).toBe(`${plain},"__deleted":"false"}`);
  });

  it('leaves no tombstones where they are not wanted, unless they alone tell of deletes', () => {
    const flat = { 'after.state.only': 'true', 'tombstones.on.delete': 'false' };
    expect(records(flat).map(({ value }) => (value === null ? null : 'row'))).toEqual(['row', 'row']);
    expect(errors({ ...unwrap, 'tombstones.on.delete': 'false' })).toHaveLength(1);
    const filter = {
      ...unwrap,
      transforms: 'unwrap,drop',
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
      'transforms.drop.type': `${kafka}Filter`,
      'transforms.drop.predicate': 'gone',
      predicates: 'gone',
      'predicates.gone.type': `${kafka}predicates.RecordIsTombstone`,
    };
    expect(records(filter)).toHaveLength(2);
  });
});

describe('transforms of columns', () => {
  const transform = (type: string, settings: Config): Config => ({
    ...unwrap,
    transforms: 'unwrap,t',
    'transforms.t.type': kafka + type,
    ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [`transforms.t.${key}`, value])),
  });
  const value = (type: string, settings: Config, row = ann) =>
    JSON.parse(String(records(transform(type, settings), row)[0]!['value'])) as Record<string, unknown>;

  it('ReplaceField leaves out, keeps and renames', () => {
    expect(value('ReplaceField$Value', { exclude: 'pay,photo,nope', renames: 'name:full_name' })).toEqual({
      id: 1,
      full_name: 'Ann',
      visits: 2 ** 64,
      seen: 1700000000123456,
      active: true,
    });
    expect(value('ReplaceField$Value', { include: 'id,active' })).toEqual({ id: 1, active: true });
    expect(value('ReplaceField$Value', { blacklist: 'pay,photo,visits,seen,active' })).toEqual({ id: 1, name: 'Ann' });
  });

  it('MaskField hides values by their type, and leaves NULL', () => {
    const masked = { fields: 'name,pay,visits,seen,active' };
    expect(value('MaskField$Value', masked)).toEqual({
      id: 1,
      name: '',
      pay: 0,
      photo: 'Af4=',
      visits: 0,
      seen: 0,
      active: false,
    });
    expect(value('MaskField$Value', { fields: 'name,pay', replacement: '-1.5' })).toMatchObject({
      name: '-1.5',
      pay: -1.5,
    });
    expect(
      value(
        'MaskField$Value',
        masked,
        ann.map((each, i) => (i === 1 ? null : each)),
      ),
    ).toMatchObject({ name: null });
  });

  it('InsertField adds constants, and the topic as it is called by then', () => {
    const settings = { 'static.field': 'origin!', 'static.value': 'a "b"', 'topic.field': 'at' };
    expect(value('InsertField$Value', settings)).toMatchObject({ origin: 'a "b"', at: 'shop.hr.people' });
  });

  it('run in their order', () => {
    const config = {
      ...transform('InsertField$Value', { 'topic.field': 'at' }),
      transforms: 'unwrap,route,t,pick',
      'transforms.route.type': `${kafka}RegexRouter`,
      'transforms.route.regex': 'shop\\.(.*)\\.(.*)',
      'transforms.route.replacement': '$1_$2',
      'transforms.pick.type': `${kafka}ReplaceField$Value`,
      'transforms.pick.include': 'id,at',
      'transforms.pick.renames': 'at:came_from',
    };
    expect(records(config)[0]).toEqual({
      topic: 'hr_people',
      key: '{"id":1}',
      value: '{"id":1,"came_from":"hr_people"}',
    });
  });

  it.each([
    ['MaskField$Value', { fields: 'id' }, /identifies its rows/],
    ['MaskField$Value', { fields: 'photo' }, /cannot mask column "photo"/],
    ['MaskField$Value', { fields: 'pay', replacement: 'x' }, /cannot mask column "pay"/],
    ['ReplaceField$Value', { include: 'name' }, /takes "id" away/],
    ['ReplaceField$Value', { renames: 'name:pay' }, /two fields the name "pay"/],
    ['ReplaceField$Value', { renames: 'id:key' }, /"key" in the value and "id" in the key/],
    ['ReplaceField$Key', { exclude: 'id' }, /out of the key/],
    ['TimestampConverter$Value', { field: 'name', 'target.type': 'unix' }, /cannot convert column "name"/],
    ['TimestampConverter$Value', { field: 'id', 'target.type': 'unix' }, /identifies its rows/],
    ['Cast$Value', { spec: 'id:string' }, /identifies its rows/],
    ['Cast$Value', { spec: 'seen:string' }, /cannot cast column "seen"/],
    ['ValueToKey', { fields: 'name' }, /identified by id/],
    ['ExtractField$Key', { field: 'name' }, /which has id/],
  ])('%s %j is refused for a table that it does not fit', (type, settings, reason) => {
    const error = planError(transform(type, settings as unknown as Config));
    expect(error).toMatchObject({ code: 'bad-connector-config', hint: expect.any(String) as string });
    expect(error.message).toMatch(/hr\.people/);
    expect(error.message).toMatch(reason);
  });

  it('Cast makes other types of numbers, truth values and text', () => {
    const spec = 'name:string,pay:int32,visits:string,active:int8';
    const config = transform('Cast$Value', { spec });
    expect(JSON.parse(String(records(config)[0]!['value']))).toMatchObject({
      name: 'Ann',
      pay: 123,
      visits: '18446744073709551615',
      active: 1,
    });
    expect(value('Cast$Value', { spec }, [1, ...ann.slice(1).map(() => null)])).toMatchObject({
      name: null,
      pay: null,
    });
    const { table } = planTable(people, checkConfig('c', { ...base, ...config }).output);
    expect(table.columns.map(({ type }) => type.kind)).toEqual([
      'INTEGER',
      'STRING',
      'INTEGER',
      'BYTES',
      'STRING',
      'TIMESTAMP',
      'INTEGER',
    ]);
  });

  it.each([
    ['boolean', STRING, 'TRUE', true],
    ['boolean', STRING, 'yes', false],
    ['int64', STRING, '-9223372036854775808', -(2n ** 63n)],
    ['int16', INTEGER, 32_767, 32_767],
    ['float64', STRING, '1e3', 1000],
    ['int32', { kind: 'DOUBLE' }, -1.9, -1],
    ['string', { kind: 'DOUBLE' }, 1, '1.0'],
    ['string', { kind: 'DOUBLE' }, 1.5e-7, '1.5E-7'],
    ['string', { kind: 'DOUBLE' }, 1e7, '1.0E7'],
    ['string', BIGINT, 2n ** 60n, '1152921504606846976'],
    ['string', BOOLEAN, true, 'true'],
  ] as const)('Cast to %s of %j %s is %s', (to, type, from, expected) => {
    const table = { ...people, columns: [people.columns[0]!, column('x', type as DataType)] };
    const { encoder, taken } = encoderOf(transform('Cast$Value', { spec: `x:${to}` }), table);
    write(encoder, [1, from], 'c', table);
    const bytes = taken().value(0)!;
    const decoder = createValueDecoder({ format: 'JSON', schema: encoder.held.table });
    expect(decoder.decode(bytes, 0, bytes.length)).toEqual([1, expected]);
  });

  it.each([
    ['int8', INTEGER, 128],
    ['int32', STRING, '1.5'],
    ['float64', STRING, 'many'],
    ['int64', { kind: 'DOUBLE' }, 1e19],
  ] as const)('Cast to %s of %j %s stops aloud', (to, type, from) => {
    const table = { ...people, columns: [people.columns[0]!, column('x', type as DataType)] };
    const { encoder } = encoderOf(transform('Cast$Value', { spec: `x:${to}` }), table);
    expect(() => write(encoder, [1, from], 'c', table)).toThrow(`column hr.people.x cannot be cast to ${to}`);
  });

  it.each([
    [{ 'target.type': 'unix' }, 1_700_000_000_123],
    [{ 'target.type': 'unix', 'unix.precision': 'seconds' }, 1_700_000_000],
    [{ 'target.type': 'unix', 'unix.precision': 'microseconds' }, 1_700_000_000_123_456],
    [{ 'target.type': 'string', format: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX" }, '2023-11-14T22:13:20.123Z'],
    [{ 'target.type': 'string', format: "E d. MMMM yy, h 'o''clock' a" }, "Tue 14. November 23, 10 o'clock PM"],
  ])('TimestampConverter with %j', (settings, expected) => {
    expect(value('TimestampConverter$Value', { field: 'seen', ...settings } as unknown as Config)).toMatchObject({
      seen: expected,
    });
  });

  it('TimestampConverter takes days, times before 1970 and beyond 2^53 µs, and leaves NULL', () => {
    const format = 'y-MM-dd HH:mm:ss.SSS';
    expect(formattedTime(format, -1n)).toBe('1969-12-31 23:59:59.999');
    expect(formattedTime(format, 253_402_300_799_999_999n)).toBe('9999-12-31 23:59:59.999');
    const table: SourceTable = { ...people, columns: [people.columns[0]!, column('born', { kind: 'DATE' })] };
    const config = (more: Config) => transform('TimestampConverter$Value', { field: 'born', ...more });
    const read = (more: Config, born: Value) => {
      const { encoder, take } = encoderOf(config(more), table);
      write(encoder, [1, born], 'c', table);
      return take()[0]!['value'];
    };
    expect(read({ 'target.type': 'string', format: 'dd/MM/yyyy' }, 19_000)).toBe('{"id":1,"born":"08/01/2022"}');
    expect(read({ 'target.type': 'unix', 'unix.precision': 'seconds' }, -1)).toBe('{"id":1,"born":-86400}');
    expect(read({ 'target.type': 'unix' }, null)).toBe('{"id":1,"born":null}');
  });

  it.each([
    [{ 'target.type': 'string' }, /text needs it/],
    [{ 'target.type': 'string', format: 'yyyy-ww' }, /the letter w is not known/],
    [{ 'target.type': 'string', format: "yyyy'" }, /quote is not closed/],
    [{ 'target.type': 'Timestamp' }, /keeps the type of its column/],
  ])('TimestampConverter with %j is refused', (settings, reason) => {
    const found = errors(transform('TimestampConverter$Value', { field: 'seen', ...settings } as unknown as Config));
    expect(found).toHaveLength(1);
    expect(found[0]!.message).toMatch(reason);
    expect(found[0]!.hint).toBeDefined();
  });

  it('Flatten changes nothing in rows that are flat', () => {
    expect(value('Flatten$Value', { delimiter: '_' })).toMatchObject({ id: 1, name: 'Ann' });
    const point = column('at', { kind: 'STRUCT', fields: [{ name: 'srid', type: INTEGER }] });
    const places = { ...people, columns: [people.columns[0]!, point] };
    expect(planError(transform('Flatten$Value', {}), places).message).toMatch(/would flatten column "at"/);
  });

  it('a column of the key is renamed in both', () => {
    const both = {
      ...transform('ReplaceField$Value', { renames: 'id:key' }),
      transforms: 'unwrap,t,k',
      'transforms.k.type': `${kafka}ReplaceField$Key`,
      'transforms.k.renames': 'id:key',
    };
    expect(records(both)[0]!['key']).toBe('{"key":1}');
  });

  it('ExtractField$Key takes a key of one column out, and StringConverter writes it as text', () => {
    const bare = transform('ExtractField$Key', { field: 'id' });
    expect(records(bare)[0]!['key']).toBe('1');
    const text = { ...bare, 'key.converter': 'org.apache.kafka.connect.storage.StringConverter' };
    expect(records(text)[0]!['key']).toBe('1');
    const byName: SourceTable = { ...people, keyColumns: [1] };
    const named = encoderOf({ ...text, 'transforms.t.field': 'name' }, byName);
    write(named.encoder, ann, 'c', byName);
    expect(named.take()[0]!['key']).toBe('Ann');
    const { 'transforms.t.type': _, 'transforms.t.field': __, ...without } = text as Record<string, string>;
    expect(planError({ ...without, transforms: 'unwrap' }).message).toMatch(/no single number or text/);
  });

  it('predicates decide per table, and tombstones have nothing to change', () => {
    const masked = transform('MaskField$Value', { fields: 'name', predicate: 'p' });
    const predicate = (type: string, more: Config) => ({
      ...masked,
      predicates: 'p',
      'predicates.p.type': `${kafka}predicates.${type}`,
      ...more,
    });
    const name = (config: Config) => (JSON.parse(String(records(config)[0]!['value'])) as { name: string }).name;
    expect(name(predicate('TopicNameMatches', { 'predicates.p.pattern': String.raw`.*\.people` }))).toBe('');
    expect(name(predicate('TopicNameMatches', { 'predicates.p.pattern': 'people' }))).toBe('Ann');
    expect(
      name(predicate('TopicNameMatches', { 'predicates.p.pattern': 'people', 'transforms.t.negate': 'true' })),
    ).toBe('');
    expect(name(predicate('RecordIsTombstone', { 'transforms.t.negate': 'true' }))).toBe('');
    expect(name(predicate('RecordIsTombstone', {}))).toBe('Ann');
    expect(name(predicate('HasHeaderKey', { 'predicates.p.name': 'x' }))).toBe('Ann');
    expect(errors(masked)).toMatchObject([{ message: expect.stringContaining('no predicate "p"') as string }]);
  });

  it.each([
    ['Filter', /without a predicate/],
    ['TimestampRouter', /keeps one topic/],
    ['ReplaceFeld$Value', /unknown transform/],
  ])('%s is refused by name, and what it is set to is no further problem', (type, reason) => {
    const found = errors(transform(type, type === 'Filter' ? {} : { spec: 'a:int32', anything: 'x' }));
    expect(found).toHaveLength(1);
    expect(found[0]!.message).toMatch(reason);
    expect(found[0]!.hint).toBeDefined();
  });

  it.each(['io.debezium.transforms.Filter', 'io.debezium.transforms.ContentBasedRouter'])(
    '%s is refused with the way',
    (type) => {
      expect(errors({ ...unwrap, transforms: 'unwrap,t', 'transforms.t.type': type })).toMatchObject([
        { property: 'transforms.t.type', hint: expect.stringContaining('quer') as string },
      ]);
    },
  );

  it('Filter leaves tables out by their topic, before it is renamed, and topics beside them', () => {
    const filtered = (more: Config): Config => ({
      ...unwrap,
      transforms: 'unwrap,t,r',
      'transforms.t.type': `${kafka}Filter`,
      'transforms.t.predicate': 'p',
      'transforms.r.type': `${kafka}RegexRouter`,
      'transforms.r.regex': '.*',
      'transforms.r.replacement': 'all',
      predicates: 'p',
      'predicates.p.type': `${kafka}predicates.TopicNameMatches`,
      'predicates.p.pattern': String.raw`shop\.hr\..*|.*heartbeat.*`,
      'heartbeat.interval.ms': '100',
      ...more,
    });
    const filter = (more: Config) =>
      new TableFilter(parseConfig(checkConfig('c', { ...base, ...filtered(more) }).source));
    expect(filter({}).matches('hr', 'people')).toBe(false);
    expect(filter({}).matches('crm', 'people')).toBe(true);
    expect(filter({ 'transforms.t.negate': 'true' }).matches('hr', 'people')).toBe(true);
    expect(filter({ 'transforms.t.negate': 'true' }).matches('crm', 'people')).toBe(false);
    expect(checkConfig('c', { ...base, ...filtered({}) }).output.side).toEqual({});
    expect(errors(filtered({ transforms: 'unwrap,r,t' }))).toMatchObject([
      { property: 'transforms.t.predicate', hint: 'name t in front of r in transforms' },
    ]);
    expect(
      inspectConfig('c', { ...filtered({}), 'connector.class': 'SqliteCdcSource', 'database.file': 'a.db' }).findings,
    ).toContainEqual(expect.objectContaining({ property: 'transforms.t.predicate' }));
  });

  it('Filter that would leave nothing is refused', () => {
    const header = {
      ...unwrap,
      transforms: 'unwrap,t',
      'transforms.t.type': `${kafka}Filter`,
      'transforms.t.predicate': 'p',
      'transforms.t.negate': 'true',
      predicates: 'p',
      'predicates.p.type': `${kafka}predicates.HasHeaderKey`,
      'predicates.p.name': 'x',
    };
    expect(errors(header)).toMatchObject([{ message: 'nothing would be left' }]);
    expect(errors({ ...header, 'transforms.t.negate': 'false' })).toEqual([]);
  });

  it('a transform that is not in the list is an unknown property with the way', () => {
    expect(errors({ ...unwrap, 'transforms.t.type': `${kafka}RegexRouter` })).toMatchObject([
      { property: 'transforms.t.type', hint: 'name "t" in transforms' },
    ]);
  });
});

describe('routers', () => {
  it.each([
    ['a.b.c', '([^.]+)\\.([^.]+)\\.([^.]+)', '$3', 'c'],
    ['a.b.c', 'b', 'x', undefined],
    ['a.b.c', '(?<db>.*)\\.c', '${db}-all', 'a.b-all'],
    ['a.b.c', '.*', 'x\\$1', 'x$1'],
    ['a.b.c', 'a(.x)?(.*)', '$1z$2', 'z.b.c'],
  ])('%s by %s to %s', (topic, regex, replacement, expected) => {
    expect(renamed(topic, regex, replacement)).toBe(expected);
  });

  const route = (regex: string, replacement: string): Config => ({
    ...unwrap,
    transforms: 'unwrap,r',
    'transforms.r.type': `${kafka}RegexRouter`,
    'transforms.r.regex': regex,
    'transforms.r.replacement': replacement,
  });

  it('say what is wrong with a rename', () => {
    expect(errors(route('(', 'x'))).not.toEqual([]);
    expect(errors(route('(a)', '$2'))).toMatchObject([{ message: expect.stringContaining('no group 2') as string }]);
    expect(planError(route('.*', 'a b')).message).toMatch(/"a b", which is no name/);
  });

  it('ByLogicalTableRouter renames where keys get no field', () => {
    const logical = {
      ...unwrap,
      transforms: 'unwrap,r',
      'transforms.r.type': 'io.debezium.transforms.ByLogicalTableRouter',
      'transforms.r.topic.regex': '(.*)people(.*)',
      'transforms.r.topic.replacement': '$1folk$2',
    };
    expect(errors(logical)).toMatchObject([{ property: 'transforms.r.key.enforce.uniqueness' }]);
    expect(records({ ...logical, 'transforms.r.key.enforce.uniqueness': 'false' })[0]!['topic']).toBe('shop.hr.folk');
  });

  it('may not lead two tables to one topic', () => {
    const topics = new TopicNames();
    const shop = { topicPrefix: 'shop', topicForm: 'dotted' } as const;
    const table = (name: string) => ({ ...people, table: name });
    topics.claim('all', table('a'), shop);
    topics.claim('all', table('a'), shop);
    expect(() => topics.claim('all', table('b'), shop)).toThrow(/hr\.a and hr\.b to one topic, all/);
  });
});

describe('handling modes and converters', () => {
  it('restore what loses something where it is asked for', () => {
    const config = {
      ...unwrap,
      'decimal.handling.mode': 'string',
      'binary.handling.mode': 'hex',
      'bigint.unsigned.handling.mode': 'long',
      'time.precision.mode': 'connect',
    };
    expect(records(config)[0]!['value']).toBe(
      '{"id":1,"name":"Ann","pay":"123.45","photo":"01fe","visits":-1,"seen":1700000000123,"active":true}',
    );
    const table = planTable(people, checkConfig('c', { ...base, ...config }).output).table;
    expect(table.columns.map(({ type }) => type)).toEqual([
      INTEGER,
      STRING,
      STRING,
      STRING,
      BIGINT,
      { kind: 'TIMESTAMP', digits: 3 },
      BOOLEAN,
    ]);
    expect(records({ ...unwrap, 'decimal.handling.mode': 'double' })[0]!['value']).toContain('"pay":123.45,');
    const bits = { ...people, columns: [people.columns[0]!, column('bits', BYTES, 'bit(9)')] };
    expect(planTable(bits, checkConfig('c', { ...base, ...config }).output).projection).toBeUndefined();
  });

  it.each([
    [debezium, {}, [6, 6, 3, 6]],
    ['MySqlCdcSourceV2', {}, [6, 6, 3, 6]],
    ['MySqlCdcSource', {}, [3, 6, 3, 6]],
    [debezium, { 'time.precision.mode': 'adaptive' }, [3, 6, 3, 6]],
    [debezium, { 'time.precision.mode': 'connect' }, [3, 3, 3, 3]],
    [debezium, { 'time.precision.mode': 'microseconds' }, [6, 6, 6, 6]],
  ])('times of %s %j have the unit of its default, or the one that is asked for', (name, config, digits) => {
    const times = [
      column('short', { kind: 'TIME', digits: 3 }, 'time(3)'),
      column('long', { kind: 'TIME', digits: 6 }, 'time(6)'),
      column('seen', { kind: 'TIMESTAMP', digits: 3 }, 'datetime(3)'),
      column('exact', { kind: 'TIMESTAMP', digits: 6 }, 'datetime(6)'),
    ];
    const { output } = checkConfig('c', { ...base, 'connector.class': name, ...config });
    const { table } = planTable({ ...people, columns: [people.columns[0]!, ...times] }, output);
    expect(table.columns.slice(1).map(({ type }) => 'digits' in type && type.digits)).toEqual(digits);
  });

  it.each([
    [0, 1_704_067_200_000_000, '2024-01-01T00:00:00Z'],
    [2, 1_704_067_200_500_000, '2024-01-01T00:00:00.50Z'],
    [6, 1_704_067_200_000_001, '2024-01-01T00:00:00.000001Z'],
    [3, -1_000, '1969-12-31T23:59:59.999Z'],
  ])('TIMESTAMP(%i) is text in UTC in every mode of times, and is read back', (digits, micros, text) => {
    const type = { kind: 'TIMESTAMP', digits: digits > 3 ? 6 : 3 } as const;
    const seen = column('seen', type, digits === 0 ? 'timestamp' : `timestamp(${digits})`);
    const table = { ...people, columns: [people.columns[0]!, { ...seen, nullable: false }], keyColumns: [0, 1] };
    for (const mode of ['adaptive', 'adaptive_time_microseconds', 'connect', 'microseconds']) {
      for (const converter of [
        { ...flatJson, 'key.converter': json, 'key.converter.schemas.enable': 'false' },
        { 'value.converter': json, 'key.converter': json },
        { 'output.data.format': 'JSON_SR', 'output.key.format': 'JSON_SR' },
        { 'output.data.format': 'AVRO', 'output.key.format': 'AVRO' },
      ]) {
        for (const shape of ['flat', 'envelope']) {
          const config = { ...converter, 'output.shape': shape, 'time.precision.mode': mode };
          const { output } = checkConfig('c', { ...base, ...config });
          const plan = planTable(table, output);
          expect(plan.table.columns[1]!.type).toEqual({ ...type, zoned: digits });
          const { encoder, taken } = encoderOf(config, table);
          write(encoder, [1, micros], 'c', table);
          const set = taken();
          const [key, value] = [set.key(0)!, set.value(0)!];
          expect(String(value)).toContain(text);
          expect(String(key)).toContain(text);
          const { value: fields, key: keys } = tableFields(plan.table);
          const registered = output.schemas?.value === 'registered';
          const inRecord = output.schemas?.value === true;
          const { envelope } = output;
          const valueSchema = envelope
            ? avroEnvelopeSchema(plan.topic, fields, envelope)
            : avroValueSchema(plan.topic, fields);
          const resolve = (id: number) => (id === 1 ? avroKeySchema(plan.topic, keys, plan.keyShape) : valueSchema);
          const of = { format: output.valueFormat, schema: plan.table, resolve, framed: registered };
          const valueDecoder = createValueDecoder({
            ...of,
            wrapping: output.shape,
            hasSchema: inRecord,
          });
          const keyDecoder = createKeyDecoder({
            ...of,
            keyShape: plan.keyShape,
            hasSchema: inRecord,
          });
          expect(valueDecoder.decode(value, 0, value.length)).toEqual([1, micros]);
          expect(keyDecoder.decode(key, 0, key.length)).toEqual([1, micros]);
          if (inRecord) expect(String(value)).toContain('"name":"io.debezium.time.ZonedTimestamp"');
        }
      }
    }
  });

  it('a TIMESTAMP of MySqlCdcSource is a number, and so is a DATETIME', () => {
    const times = [column('seen', { kind: 'TIMESTAMP', digits: 3 }, 'timestamp')];
    const { output } = checkConfig('c', { ...base, 'connector.class': 'MySqlCdcSource' });
    const { table } = planTable({ ...people, columns: [people.columns[0]!, ...times] }, output);
    expect(table.columns[1]!.type).toEqual({ kind: 'TIMESTAMP', digits: 3 });
  });

  it('JsonConverter has schemas unless they are switched off, and its records are read back', () => {
    const config = { ...unwrap, 'value.converter': json, 'key.converter': json };
    const [row] = records(config);
    const { schema, payload } = JSON.parse(String(row!['value'])) as {
      schema: { fields: unknown[] };
      payload: unknown;
    };
    expect(payload).toMatchObject({ id: 1, name: 'Ann', pay: 123.45 });
    expect(schema).toMatchObject({ type: 'struct', name: 'shop.hr.people.Value' });
    expect(schema.fields.slice(0, 3)).toEqual([
      { type: 'int32', optional: true, field: 'id' },
      { type: 'string', optional: true, field: 'name' },
      {
        type: 'bytes',
        name: 'org.apache.kafka.connect.data.Decimal',
        version: 1,
        parameters: { scale: '2', 'connect.decimal.precision': '8' },
        optional: true,
        field: 'pay',
      },
    ]);
    expect(row!['key']).toBe(
      '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false,"name":"shop.hr.people.Key"},"payload":{"id":1}}',
    );
    const value = Buffer.from(String(row!['value']));
    const key = Buffer.from(String(row!['key']));
    // With its spaces it goes the long way, which has to give the same.
    for (const bytes of [value, Buffer.from(String(row!['value']).replaceAll(',"', ', "'))]) {
      const decoder = createValueDecoder({
        format: 'JSON',
        schema: people,
        hasSchema: true,
      });
      expect(decoder.decode(bytes, 0, bytes.length)).toEqual(ann);
    }
    const keys = createKeyDecoder({
      format: 'JSON',
      schema: people,
      keyShape: 'object',
      hasSchema: true,
    });
    expect(keys.decode(key, 0, key.length)).toEqual([1]);
  });

  it('AvroConverter and the old names of formats are the same; together they have to agree', () => {
    const avro = {
      ...unwrap,
      'value.converter': 'io.confluent.connect.avro.AvroConverter',
      'value.converter.schema.registry.url': 'http://r',
    };
    expect(checkConfig('c', { ...base, ...avro }).output).toMatchObject({ valueFormat: 'AVRO', keyFormat: 'JSON' });
    expect(errors({ ...avro, 'output.data.format': 'JSON' })).toMatchObject([{ property: 'value.converter' }]);
  });

  it('ProtobufConverter writes fields that are optional, and keys that are messages', () => {
    const file = (more: Record<string, string> = {}) => ({
      ...unwrap,
      'key.converter': 'io.confluent.connect.protobuf.ProtobufConverter',
      'value.converter': 'io.confluent.connect.protobuf.ProtobufConverter',
      'value.converter.schema.registry.url': 'http://r',
      ...more,
    });
    const { output, notes } = checkConfig('c', { ...base, ...file() });
    expect(output).toMatchObject({ valueFormat: 'PROTOBUF', keyFormat: 'PROTOBUF', keyShape: 'object' });
    expect(notes.filter(({ message }) => message.includes('optional.for.nullables'))).toHaveLength(2);
    const said = { 'value.converter.optional.for.nullables': 'true', 'key.converter.optional.for.nullables': 'true' };
    const { notes: fewer } = checkConfig('c', { ...base, ...file(said) });
    expect(fewer.filter(({ message }) => message.includes('optional.for.nullables'))).toStrictEqual([]);
    for (const [property, value] of [
      ['value.converter.optional.for.nullables', 'false'],
      ['value.converter.wrapper.for.nullables', 'true'],
      ['output.key.shape', 'bare'],
      ['output.data.format', 'AVRO'],
    ] as const)
      expect(errors(file({ [property]: value }))).toMatchObject([{}]);
    const plain = { 'connector.class': 'SqliteCdcSource', 'database.file': 'a.db', 'output.key.format': 'PROTOBUF' };
    expect(checkConfig('c', { ...plain, 'output.data.format': 'PROTOBUF' }).output.keyShape).toBe('object');
    const { output: bare } = checkConfig('c', {
      ...base,
      ...file({
        transforms: 'unwrap,key',
        'transforms.key.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
        'transforms.key.field': 'id',
      }),
    });
    expect(() => planTable(people, bare)).toThrow(/message that a key in PROTOBUF is/);
  });

  it('tells a default that is replaced by what loses nothing', () => {
    expect(inspectConfig('c', { ...base, ...unwrap, ...flatJson }).findings).toMatchObject([
      { severity: 'note', message: expect.stringContaining('NUMERIC') as string },
    ]);
    expect(errors({ ...unwrap, ...flatJson, 'value.converter.decimal.format': 'BASE64' })).toHaveLength(1);
  });
});

describe('masks of columns', () => {
  const hidden = (config: Config) =>
    (JSON.parse(String(records({ ...unwrap, ...config })[0]!['value'])) as { name: unknown }).name;
  const sha256 = (...parts: (string | Buffer)[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

  it('hide text behind asterisks and hashes, and cut it', () => {
    expect(hidden({ 'column.mask.with.4.chars': String.raw`hr\.people\.name` })).toBe('****');
    expect(hidden({ 'column.mask.with.0.chars': '.*name' })).toBe('');
    expect(hidden({ 'column.truncate.to.2.chars': 'HR.people.name,x' })).toBe('An');
    expect(hidden({ 'column.truncate.to.20.chars': '.*' })).toBe('Ann');
    expect(hidden({ 'column.mask.hash.v2.SHA-256.with.salt.s.1': '.*name' })).toBe(sha256('s.1', 'Ann'));
    // As Java writes the object: the head of its stream, the type, the length, the text.
    const object = Buffer.from('aced0005740003416e6e', 'hex');
    expect(hidden({ 'column.mask.hash.SHA-256.with.salt.s': '.*name' })).toBe(sha256('s', object));
  });

  it('hide by asterisks, whether there is a text or not, and leave NULL otherwise, in both images of an envelope, never showing half of a character', () => {
    const images = (config: Config) => {
      const { encoder, take } = encoderOf(config);
      const put = (to: ValueWriter, row: readonly Value[]) =>
        people.columns.forEach(({ type }, i) => writeValue(to, type, row[i]!));
      put(encoder.beginOld(), ann.with(1, '😀!'));
      encoder.endOld();
      put(encoder.beginRow('u'), ann.with(1, null));
      encoder.endRow();
      return JSON.parse(String(take()[0]!['value'])) as object;
    };
    const names = (before: string | null, after: string | null) => ({
      before: { name: before },
      after: { name: after },
    });
    expect(images({ 'column.truncate.to.1.chars': '.*name' })).toMatchObject(names('', null));
    expect(images({ 'column.mask.with.3.chars': '.*name' })).toMatchObject(names('***', '***'));
  });

  it('are refused where they would hide a key, or show what they cannot hide', () => {
    const plan = (config: Config) => planError({ ...unwrap, ...config }).message;
    expect(plan({ 'column.mask.with.4.chars': '.*' })).toContain('identifies its rows');
    expect(plan({ 'column.mask.hash.v2.MD5.with.salt.x': '.*pay' })).toContain('masks are text');
    expect(errors({ 'column.mask.with.many.chars': '.*' })).toHaveLength(1);
    expect(errors({ 'column.mask.hash.ROT13.with.salt.x': '.*' })).toHaveLength(1);
  });
});
