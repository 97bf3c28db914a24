// Bytes of PROTOBUF: what Confluent's serializers put around a message, what our schemas and rows are, and what is read of others' records.
import { describe, expect, it } from 'vitest';
import type { Column, DataType, RowSchema, Value } from '../../../../src/core/data-type.js';
import { AppError } from '../../../../src/core/errors.js';
import { TransactionId } from '../../../../src/core/transaction-id.js';
import { keyFields, valueFields } from '../../../../src/schema/formats/format.js';
import { protobufEnvelopeSchema } from '../../../../src/schema/formats/protobuf-envelope.js';
import { protobufKeySchema, protobufValueSchema } from '../../../../src/schema/formats/protobuf-schema.js';
import { createChunkBuilder } from '../../../../src/schema/formats/chunk-builder.js';
import { createRowEncoder } from '../../../../src/schema/formats/row-encoder.js';
import { createKeyDecoder, createValueDecoder } from '../../../../src/schema/formats/value-decoder.js';
import { createKeyEncoder, createValueEncoder } from '../../../../src/schema/formats/value-encoder.js';
import { recordSet } from '../../../support/chunk.js';
import { judgeType } from '../../../support/protobuf-judge.js';
import { feedSink, sourceTable } from '../../../support/value-arbitraries.js';

const topic = 'shop.db.orders';
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const columns: Column[] = [
  { name: 'id', type: { kind: 'INTEGER' } },
  { name: 'note', type: { kind: 'STRING' } },
  { name: 'pay', type: { kind: 'DECIMAL', precision: 8, scale: 2 } },
  { name: 'day', type: { kind: 'DATE' } },
  { name: 'at', type: { kind: 'TIMESTAMP', digits: 6 } },
  { name: 'until', type: { kind: 'TIME', digits: 6 } },
  { name: 'place', type: { kind: 'STRUCT', fields: [{ name: 'x', type: { kind: 'DOUBLE' } }] } },
  { name: 'tags', type: { kind: 'MAP', key: { kind: 'STRING' }, value: { kind: 'BIGINT' } } },
];
const orders: RowSchema = { columns, keyColumns: [0] };

describe('the schema of a topic', () => {
  const text = protobufValueSchema({ topic, fields: valueFields(orders) });

  it('is that of its columns, each optional, in the types of Google and Confluent', () => {
    expect(text).toBe(`syntax = "proto3";
package shop.db.orders;

import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";
import "google/type/timeofday.proto";

message Value {
  optional int32 id = 1;
  optional string note = 2;
  optional confluent.type.Decimal pay = 3 [(confluent.field_meta) = {
    params: [
      {
        key: "precision",
        value: "8"
      },
      {
        key: "scale",
        value: "2"
      }
    ]
  }];
  optional google.type.Date day = 4;
  optional google.protobuf.Timestamp at = 5;
  optional google.type.TimeOfDay until = 6;
  optional Place place = 7;
  map<string, int64> tags = 8;

  message Place {
    optional double x = 1;
  }
}
`);
    expect(protobufKeySchema({ topic, fields: keyFields(orders, () => false) })).toBe(
      'syntax = "proto3";\npackage shop.db.orders;\n\nmessage Key {\n  int32 id = 1;\n}\n',
    );
  });

  it('keeps the numbers of its fields when columns come and go', () => {
    const without = { columns: columns.filter(({ name }) => name !== 'note' && name !== 'place'), keyColumns: [0] };
    const second = protobufValueSchema({ topic, fields: valueFields(without), previous: text });
    expect(second).toContain('reserved 2, 7;');
    expect(second).toContain('google.type.TimeOfDay until = 6;');
    const third = protobufValueSchema({ topic, fields: valueFields(orders), previous: second });
    expect(third).toContain('optional string note = 9;');
    expect(third).toContain('optional Place_10 place = 10;');
    const wider = columns.map((each) => (each.name === 'id' ? { ...each, type: { kind: 'BIGINT' } as const } : each));
    const fourth = protobufValueSchema({
      topic,
      fields: valueFields({ columns: wider, keyColumns: [0] }),
      previous: third,
    });
    expect(fourth).toContain('optional int64 id = 1;');
    const other = columns.map((each) => (each.name === 'id' ? { ...each, type: { kind: 'STRING' } as const } : each));
    const fifth = protobufValueSchema({
      topic,
      fields: valueFields({ columns: other, keyColumns: [0] }),
      previous: fourth,
    });
    expect(fifth).toContain('optional string id = 11;');
  });

  it('takes the numbers of a schema that somebody has registered before', () => {
    const theirs = 'syntax = "proto3"; message Value { string note = 40; reserved 41 to 43; int32 id = 7; }';
    const ours = protobufValueSchema({ topic, fields: valueFields(orders), previous: theirs });
    expect(ours).toMatch(
      /optional int32 id = 7;\s+optional string note = 40;\s+optional confluent.type.Decimal pay = 44/,
    );
  });

  it('names what hides the packages of types from its root', () => {
    const hidden = protobufValueSchema({ topic: 'a.google.b', fields: valueFields(orders) });
    expect(hidden).toContain('optional .google.type.Date day');
    expect(hidden).toContain('optional confluent.type.Decimal pay');
  });

  it.each([
    [
      ['a_b', 'aB', 'a b'],
      ['a_b', 'aB_2', 'a_b_3'],
    ],
    [
      ['a', '_a', 'A'],
      ['a', '_a_2', 'A'],
    ],
    [
      ['1st', 'straße'],
      ['_1st', 'stra_e'],
    ],
  ])('names columns %j %j', (names, expected) => {
    const schema = { columns: names.map((name) => ({ name, type: { kind: 'INTEGER' } as const })), keyColumns: [0] };
    const fields = protobufValueSchema({ topic, fields: valueFields(schema) });
    expect([...fields.matchAll(/int32 (\w+)/g)].map(([, name]) => name)).toStrictEqual(expected);
  });
});

describe('the bytes of a row', () => {
  const schemaText = protobufValueSchema({ topic, fields: valueFields(orders) });
  const encoder = createValueEncoder({ format: 'PROTOBUF', schema: orders, schemaId: 258, schemaText });
  const decoder = createValueDecoder({ format: 'PROTOBUF', schema: orders, resolve: () => schemaText });
  const row: Value[] = [-1, '', 1250, 19_723, -1_500_000, 3_661_000_001, [0.5], new Map([['k', 0]])];

  it('stand behind the magic byte, the id of the schema and the short form of the first message', () => {
    expect(encoder.encode(row).toString('hex')).toBe(
      hex(`00 00000102 00
        08 ffffffffffffffffff01
        12 00
        1a 08 0a0204e2 1004 1802
        22 07 08e80f 1001 1801
        2a 11 08feffffffffffffffff01 1080cab5ee01
        32 09 0801 1001 1801 20e807
        3a 09 09000000000000e03f
        42 05 0a016b 1000`).toString('hex'),
    );
  });

  it('read back as they were, and as the same in any order of fields', () => {
    const bytes = encoder.encode(row);
    expect(decoder.decode(bytes, 0, bytes.length)).toStrictEqual(row);
    const turned = hex('00 00000102 00 1200 0807 4205 0a01611009 0809');
    expect(decoder.decode(turned, 0, turned.length)).toStrictEqual([
      9,
      '',
      null,
      null,
      null,
      null,
      null,
      new Map([['a', 9]]),
    ]);
    expect(decoder.decode(hex('000000010200'), 0, 6)).toStrictEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      new Map(),
    ]);
  });

  it('have no NULL in lists', () => {
    expect(() => encoder.encode([...row.slice(0, 7), new Map([['k', null]])])).toThrow(
      /column tags has a NULL in its MAP/,
    );
  });

  it('of a time before 0:00 and of the year 0 read back, too', () => {
    for (const odd of [
      [null, null, 0, -719_528, -62_167_219_200_000_000n, -1, null, new Map()],
      [null, null, -99_999_999, 2_932_896, 253_402_300_799_999_999n, 3_020_399_000_000, null, new Map()],
    ] as Value[][]) {
      const bytes = encoder.encode(odd);
      expect(decoder.decode(bytes, 0, bytes.length)).toStrictEqual(odd);
    }
  });
});

describe('records of others', () => {
  function read(text: string, bytes: string, wanted: Record<string, DataType>, imports: Record<string, string> = {}) {
    const schema: RowSchema = {
      columns: Object.entries(wanted).map(([name, type]) => ({ name, type })),
      keyColumns: [0],
    };
    const resolve = Object.assign(() => `syntax = "proto3"; ${text}`, {
      imports: () => new Map(Object.entries(imports)),
    });
    const whole = Buffer.concat([hex('00 00000001'), hex(bytes)]);
    return createValueDecoder({ format: 'PROTOBUF', schema, resolve }).decode(whole, 0, whole.length);
  }
  const INTEGER: DataType = { kind: 'INTEGER' };
  const BIGINT: DataType = { kind: 'BIGINT' };
  const STRING: DataType = { kind: 'STRING' };
  const list = (element: DataType): DataType => ({ kind: 'ARRAY', element });
  const big: DataType = { kind: 'DECIMAL', precision: 20, scale: 0 };

  it.each<[what: string, text: string, bytes: string, type: DataType, value: Value]>([
    ['a packed list', 'repeated int32 a = 1;', '0a03 01 02 7f', list(INTEGER), [1, 2, 127]],
    ['a list that is not packed', 'repeated int32 a = 1;', '0801 0802', list(INTEGER), [1, 2]],
    ['both in one', 'repeated int32 a = 1;', '0801 0a0102 0803', list(INTEGER), [1, 2, 3]],
    ['packed doubles', 'repeated double a = 1;', '0a08 000000000000f03f', list({ kind: 'DOUBLE' }), [1]],
    ['texts', 'repeated string a = 1;', '0a0161 0a00', list(STRING), ['a', '']],
    ['no list', 'repeated string a = 1;', '', list(STRING), []],
    ['sint32', 'sint32 a = 1;', '0803', INTEGER, -2],
    ['sint64', 'sint64 a = 1;', '08ffffffffffffffffff01', BIGINT, -(2n ** 63n)],
    ['another wire type, which is another field', 'int32 a = 1;', '0a0101', INTEGER, 0],
    ['uint32', 'uint32 a = 1;', '08ffffffff0f', BIGINT, 4_294_967_295],
    ['uint64', 'uint64 a = 1;', '08ffffffffffffffffff01', big, 2n ** 64n - 1n],
    ['fixed32', 'fixed32 a = 1;', '0dffffffff', BIGINT, 4_294_967_295],
    ['sfixed32', 'sfixed32 a = 1;', '0dffffffff', INTEGER, -1],
    ['fixed64', 'fixed64 a = 1;', '09ffffffffffffffff', big, 2n ** 64n - 1n],
    ['sfixed64', 'sfixed64 a = 1;', '09ffffffffffffffff', BIGINT, -1],
    ['float', 'float a = 1;', '0d0000c03f', { kind: 'DOUBLE' }, 1.5],
    ['an enum', 'enum E { NONE = 0; ONE = 1; } E a = 1;', '0801', STRING, 'ONE'],
    ['an enum that is not there', 'enum E { NONE = 0; ONE = 1; } E a = 1;', '', STRING, 'NONE'],
    ['an unknown enum', 'enum E { NONE = 0; ONE = 1; } E a = 1;', '0805', STRING, '5'],
    ['an enum as a number', 'enum E { NONE = 0; ONE = 1; } E a = 1;', '0801', INTEGER, 1],
    ['a default', 'int32 a = 1;', '', INTEGER, 0],
    ['an optional that is not there', 'optional int32 a = 1;', '', INTEGER, null],
    ['one of several', 'oneof o { int32 a = 1; string b = 2; }', '0800', INTEGER, 0],
    ['the other of several', 'oneof o { int32 a = 1; string b = 2; }', '120178', INTEGER, null],
    ['a wrapper', 'google.protobuf.Int32Value a = 1;', '0a020805', INTEGER, 5],
    ['a wrapped default', 'google.protobuf.StringValue a = 1;', '0a00', STRING, ''],
    ['no wrapper', 'google.protobuf.BoolValue a = 1;', '', { kind: 'BOOLEAN' }, null],
    ['milliseconds', 'int64 a = 1;', '0805', { kind: 'TIMESTAMP', digits: 3 }, 5000],
    [
      'a map of numbers',
      'map<int32, string> a = 1;',
      '0a050807120178',
      { kind: 'MAP', key: STRING, value: STRING },
      new Map([['7', 'x']]),
    ],
    [
      'entries',
      'message E { string value = 1; string key = 2; } repeated E a = 1;',
      '0a06 0a0178 12016b',
      { kind: 'MAP', key: STRING, value: STRING },
      new Map([['k', 'x']]),
    ],
    [
      'a message in two parts',
      'message P { int32 x = 1; int32 y = 2; } P a = 1;',
      '0a020801 0a021002',
      {
        kind: 'STRUCT',
        fields: [
          { name: 'x', type: INTEGER },
          { name: 'y', type: INTEGER },
        ],
      },
      [1, 2],
    ],
    [
      'a timestamp as its parts',
      'google.protobuf.Timestamp a = 1;',
      '0a020805',
      { kind: 'STRUCT', fields: [{ name: 'seconds', type: BIGINT }] },
      [5],
    ],
    ['another case', 'int32 A = 1;', '0805', INTEGER, 5],
    [
      'a decimal of another scale',
      'confluent.type.Decimal a = 1;',
      '0a06 0a0201f4 1802',
      { kind: 'DECIMAL', precision: 5, scale: 1 },
      50,
    ],
    [
      'fields that nobody wants',
      'int32 a = 1; string z = 9; V v = 10;',
      '4a0178 5200 0805 5b 0801 5c 650000c03f',
      INTEGER,
      5,
    ],
  ])('%s', (_, text, bytes, type, value) => {
    const imported = ['google/protobuf/wrappers', 'google/protobuf/timestamp', 'confluent/type/decimal'];
    const head = imported.map((path) => `import "${path}.proto";`).join('');
    expect(read(`${head} message V { ${text} }`, `00 ${bytes}`, { a: type })).toStrictEqual([value]);
  });

  it('name their message by its place', () => {
    const text = 'message A { int32 a = 1; } message B { message C { int32 a = 5; } message D { int32 a = 6; } }';
    expect(read(text, '04 02 02 3009', { a: INTEGER })).toStrictEqual([9]);
    expect(read(text, '02 00 0809', { a: INTEGER })).toStrictEqual([9]);
    expect(() => read(text, '04 02 04', { a: INTEGER })).toThrow(/no message at 1.2/);
    expect(() => read(text, '01', { a: INTEGER })).toThrow(/path of its message/);
  });

  it('are read by what their schemas import', () => {
    const imports = { 'm.proto': 'syntax = "proto3"; package m; message M { int32 x = 1; }' };
    const type: DataType = { kind: 'STRUCT', fields: [{ name: 'x', type: INTEGER }] };
    expect(read('import "m.proto"; message V { m.M a = 1; }', '00 0a020805', { a: type }, imports)).toStrictEqual([
      [5],
    ]);
  });

  it.each<[what: string, field: string, bytes: string, type: DataType, why: RegExp]>([
    ['a length beyond the end', 'string a = 1;', '0aff7f', STRING, /ends too early/],
    [
      'a length beyond its message',
      'message P { string x = 1; } P a = 1;',
      '0a03 0a0561626364',
      { kind: 'STRUCT', fields: [{ name: 'x', type: STRING }] },
      /ends too early/,
    ],
    ['a length of 4 GiB', 'string a = 1;', '0affffffff0f', STRING, /ends too early/],
    ['a number without an end', 'int32 a = 1;', '08ffffffffffffffffffffff', INTEGER, /more than ten bytes/],
    ['the number 0', 'int32 a = 1;', '0005', INTEGER, /number 0/],
    ['a wire type that there is not', 'int32 a = 1;', '1700', INTEGER, /wire type/],
    ['the end of no group', 'int32 a = 1;', '14', INTEGER, /wire type/],
    ['the end of another group', 'int32 a = 1;', '1324', INTEGER, /did not begin/],
    ['groups without an end', 'int32 a = 1;', '13'.repeat(5000), INTEGER, /nested deeper/],
    ['text that is none', 'string a = 1;', '0a01ff', STRING, /UTF-8/],
    ['nanoseconds', 'google.protobuf.Timestamp a = 1;', '0a021001', { kind: 'TIMESTAMP', digits: 6 }, /nanoseconds/],
    ['no day', 'google.type.Date a = 1;', '0a06 08e80f 1002 181e'.replace('06', '07'), { kind: 'DATE' }, /no day/],
    [
      'a scale without bounds',
      'confluent.type.Decimal a = 1;',
      '0a09 0a0101 18ffffffff07',
      { kind: 'DECIMAL', precision: 5, scale: 1 },
      /does not fit/,
    ],
    ['too wide a number', 'int64 a = 1;', '0880808080 10', INTEGER, /does not fit INTEGER/],
  ])('%s is a bad record', (_, field, bytes, type, why) => {
    const head =
      'import "google/protobuf/timestamp.proto"; import "google/type/date.proto"; import "confluent/type/decimal.proto";';
    const decode = () => read(`${head} message V { ${field} }`, `00 ${bytes}`, { a: type });
    expect(decode).toThrow(AppError);
    expect(decode).toThrow(why);
    expect(decode).toThrow(expect.objectContaining({ code: 'bad-record' }) as Error);
  });
});

describe('keys', () => {
  it('are messages, of one column, too', () => {
    const schemaText = protobufKeySchema({ topic, fields: keyFields(orders) });
    const options = { format: 'PROTOBUF', schema: orders, keyShape: 'object' } as const;
    const bytes = createKeyEncoder({ ...options, schemaId: 9, schemaText }).encode([5])!;
    expect(bytes.toString('hex')).toBe('0000000009000805');
    const decoder = createKeyDecoder({ ...options, resolve: () => schemaText });
    expect(decoder.decode(bytes, 0, bytes.length)).toStrictEqual([5]);
  });
});

describe('an envelope', () => {
  const schema: RowSchema = { columns: columns.slice(0, 2), keyColumns: [0] };
  const table = sourceTable(schema);
  const valueSchema = protobufEnvelopeSchema({ topic, fields: valueFields(schema) });
  const keySchema = protobufKeySchema({ topic, fields: keyFields(schema) });

  it('is what another implementation reads, with images of any length', () => {
    const judge = judgeType(valueSchema, `${topic}.Envelope`);
    const chunks = createChunkBuilder({ chunkBytes: 1_000_000 });
    const encoder = createRowEncoder({
      table,
      topic,
      partitions: 1,
      keyFormat: 'PROTOBUF',
      valueFormat: 'PROTOBUF',
      keyShape: 'object',
      shape: 'envelope',
      keySchemaId: 3,
      valueSchemaId: 4,
      keySchema,
      valueSchema,
      chunks,
      envelope: { connector: 'mysql', server: 'p', version: '1', transactions: true },
    });
    const write = (to: ReturnType<typeof encoder.beginOld>, row: Value[]) =>
      schema.columns.forEach(({ type }, i) => feedSink(to, type, row[i]!));
    chunks.origin.transactionOf(TransactionId.of('u:23'), 1_700_000_000_123_456, false);
    chunks.origin.event('binlog.000003', 259, 7, 0);
    const [short, long] = ['x', 'y'.repeat(20_000)];
    for (const [from, to] of [
      [short, long],
      [long, short],
      [long, 'z'.repeat(200)],
    ] as const) {
      write(encoder.beginOld(), [5, from]);
      encoder.endOld();
      write(encoder.beginRow('u'), [5, to]);
      encoder.endRow();
    }
    write(encoder.beginDelete(), [5, long]);
    encoder.endDelete();
    const records = recordSet(chunks.take()!);
    const read = (i: number) => {
      expect(records.key(i)!.toString('hex')).toBe('0000000003000805');
      const bytes = records.value(i);
      return bytes && (JSON.parse(JSON.stringify(judge.decode(bytes.subarray(6)))) as Record<string, unknown>);
    };
    const source = {
      version: '1',
      connector: 'mysql',
      name: 'p',
      ts_ms: '1700000000123',
      snapshot: 'false',
      db: 'db',
      ts_us: '1700000000123456',
      ts_ns: '1700000000123456000',
      table: 't',
      server_id: '7',
      gtid: 'u:23',
      file: 'binlog.000003',
      pos: '259',
    };
    const event = (n: number) => ({ id: 'u:23', total_order: String(n), data_collection_order: String(n) });
    expect(read(0)).toMatchObject({
      before: { id: 5, note: short },
      after: { id: 5, note: long },
      source,
      transaction: event(1),
      op: 'u',
    });
    expect(read(1)).toMatchObject({ before: { id: 5, note: long }, after: { id: 5, note: short }, source: { row: 1 } });
    expect(read(2)).toMatchObject({ after: { note: 'z'.repeat(200) }, transaction: event(3) });
    expect(read(3)).toMatchObject({ before: { id: 5, note: long }, op: 'd', ts_ms: expect.any(String) as string });
    expect(read(3)).not.toHaveProperty('after');
    expect(read(4)).toBeNull();
  });
});
