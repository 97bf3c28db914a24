import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import type { DataType, RowSchema, Value } from '../../../src/core/data-type.js';
import { frame } from '../../../src/schema/wire-format.js';
import { createKeyDecoder, createValueDecoder } from '../../../src/schema/formats/value-decoder.js';
import { createKeyEncoder, createValueEncoder } from '../../../src/schema/formats/value-encoder.js';

function oneColumn(type: DataType, name = 'c'): RowSchema {
  return { columns: [{ name, type }], keyColumns: [0] };
}

function fromJson(type: DataType, text: string): Value {
  const bytes = Buffer.from(`{"c":${text}}`);
  return createValueDecoder({ format: 'JSON', schema: oneColumn(type) }).decode(bytes, 0, bytes.length)![0]!;
}

/** Written by avsc under a schema of the writer's own. */
function fromAvro(type: DataType, writer: avro.Schema, value: unknown): Value {
  const record = {
    type: 'record',
    name: 'Foreign',
    fields: [
      { name: 'before_it', type: { type: 'array', items: 'string' } },
      { name: 'C', type: writer },
      { name: 'behind', type: 'Foreign', default: null },
    ],
  };
  record.fields[2]!.type = ['null', 'Foreign'] as unknown as string;
  const text = JSON.stringify(record);
  const avroType = avro.Type.forSchema(JSON.parse(text) as avro.Schema, { wrapUnions: 'never' } as object);
  const bytes = Buffer.concat([
    frame(9),
    avroType.toBuffer({ before_it: ['x', 'y'], C: value, behind: { before_it: [], C: value, behind: null } }),
  ]);
  const decoder = createValueDecoder({ format: 'AVRO', schema: oneColumn(type), resolve: () => text });
  return decoder.decode(bytes, 0, bytes.length)![0]!;
}

describe('JSON', () => {
  it.each<[DataType, string, Value]>([
    [{ kind: 'INTEGER' }, '1.0', 1],
    [{ kind: 'INTEGER' }, '"12"', 12],
    [{ kind: 'INTEGER' }, '2e3', 2000],
    [{ kind: 'BIGINT' }, '9007199254740993', 9007199254740993n],
    [{ kind: 'BIGINT' }, '-9223372036854775808', -9223372036854775808n],
    [{ kind: 'BIGINT' }, '0000', NaN],
    [{ kind: 'DOUBLE' }, '"NaN"', NaN],
    [{ kind: 'DOUBLE' }, '"-Infinity"', -Infinity],
    [{ kind: 'DOUBLE' }, '0.1', 0.1],
    [{ kind: 'DOUBLE' }, '123456789012345678', 123456789012345680],
    [{ kind: 'DOUBLE' }, '-0.0', -0],
    [{ kind: 'DECIMAL', precision: 5, scale: 2 }, '1.5', 150],
    [{ kind: 'DECIMAL', precision: 5, scale: 2 }, '"1.50"', 150],
    [{ kind: 'DECIMAL', precision: 5, scale: 2 }, '1.5e2', 15000],
    [
      { kind: 'DECIMAL', precision: 38, scale: 2 },
      '123456789012345678901234567890.12',
      12345678901234567890123456789012n,
    ],
    [{ kind: 'STRING' }, '12.50', '12.50'],
    [{ kind: 'STRING' }, '{"a": [1.0, null]}', '{"a":[1.0,null]}'],
    [{ kind: 'STRING' }, '"\\u00e9\\ud83d\\ude00"', 'é😀'],
    [{ kind: 'TIMESTAMP', digits: 3 }, '-1', -1000],
    [{ kind: 'BYTES' }, '"AQI="', Buffer.from([1, 2])],
    [{ kind: 'STRUCT', fields: [{ name: 'A', type: { kind: 'INTEGER' } }] }, '{"a":1,"b":2}', [1]],
  ])('%j reads %s', (type, text, expected) => {
    if (text === '0000') expect(() => fromJson(type, text)).toThrow(/not JSON/);
    else expect(fromJson(type, text)).toStrictEqual(expected);
  });

  it.each<[DataType, string]>([
    [{ kind: 'INTEGER' }, '2147483648'],
    [{ kind: 'INTEGER' }, '1.5'],
    [{ kind: 'INTEGER' }, 'true'],
    [{ kind: 'BIGINT' }, '9223372036854775808'],
    [{ kind: 'BOOLEAN' }, '"true"'],
    [{ kind: 'DOUBLE' }, '""'],
    [{ kind: 'DECIMAL', precision: 5, scale: 2 }, '1.005'],
    [{ kind: 'DECIMAL', precision: 5, scale: 2 }, '1000.00'],
    [{ kind: 'DECIMAL', precision: 5, scale: 2 }, '1e999999999'],
    [{ kind: 'BYTES' }, '"a"'],
    [{ kind: 'DATE' }, '"2026-01-01"'],
    [{ kind: 'ARRAY', element: { kind: 'INTEGER' } }, '[1, "x"]'],
  ])('%j refuses %s', (type, text) => {
    expect(() => fromJson(type, text)).toThrow(
      expect.objectContaining({ code: 'bad-record', message: expect.stringContaining('column c') as string }),
    );
  });

  it('prefers the exact name, else ignores case; a repeated field counts by its last occurrence', () => {
    const schema: RowSchema = { columns: [{ name: 'a', type: { kind: 'INTEGER' } }], keyColumns: [0] };
    const decode = (text: string) =>
      createValueDecoder({ format: 'JSON', schema }).decode(Buffer.from(text), 0, Buffer.byteLength(text));
    expect(decode('{"A":1,"a":2}')).toStrictEqual([2]);
    expect(decode('{"A":1}')).toStrictEqual([1]);
    expect(decode('{"a":1,"a":3}')).toStrictEqual([3]);
    expect(decode('{}')).toStrictEqual([null]);
    expect(decode('null')).toBeNull();
    expect(() => decode('[1]')).toThrow(/no JSON object/);
  });

  it('unwraps marked deletes and envelopes', () => {
    const schema = oneColumn({ kind: 'INTEGER' });
    const read = (wrapping: 'flat-with-deleted' | 'envelope', text: string) =>
      createValueDecoder({ format: 'JSON', schema, wrapping }).decode(Buffer.from(text), 0, Buffer.byteLength(text));
    expect(read('flat-with-deleted', '{"c":1,"__deleted":"false"}')).toStrictEqual([1]);
    expect(read('flat-with-deleted', '{"c":1,"__deleted":"true"}')).toBeNull();
    expect(read('flat-with-deleted', '{"__deleted":"true","c":1}')).toBeNull();
    expect(read('envelope', '{"before":null,"after":{"c":1},"op":"c"}')).toStrictEqual([1]);
    expect(read('envelope', '{"schema":{},"payload":{"before":{"c":1},"after":null,"op":"d"}}')).toBeNull();
  });

  it('does not take what lies behind an envelope for its end', () => {
    const whole = '{"before":null,"after":{"c":1},"source":{"version":"1"},"op":"c"}';
    const decoder = createValueDecoder({
      format: 'JSON',
      schema: oneColumn({ kind: 'INTEGER' }),
      wrapping: 'envelope',
    });
    expect(decoder.decode(Buffer.from(whole), 0, whole.length)).toStrictEqual([1]);
    expect(() => decoder.decode(Buffer.from(whole), 0, whole.indexOf(',"source"'))).toThrow();
  });
});

describe('Avro of other writers', () => {
  it('reads what fits the column, under unions, other widths, and past unknown and recursive fields', () => {
    expect(fromAvro({ kind: 'BIGINT' }, 'int', 5)).toBe(5);
    expect(fromAvro({ kind: 'BIGINT' }, ['long', 'null'], null)).toBeNull();
    expect(fromAvro({ kind: 'DOUBLE' }, 'float', 0.5)).toBe(0.5);
    expect(fromAvro({ kind: 'STRING' }, { type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'B')).toBe('B');
    expect(fromAvro({ kind: 'BYTES' }, { type: 'fixed', name: 'F', size: 2 }, Buffer.from([1, 2]))).toStrictEqual(
      Buffer.from([1, 2]),
    );
    expect(
      fromAvro({ kind: 'ARRAY', element: { kind: 'STRING' } }, { type: 'array', items: 'string' }, ['a']),
    ).toStrictEqual(['a']);
    expect(
      fromAvro(
        { kind: 'MAP', key: { kind: 'STRING' }, value: { kind: 'INTEGER' } },
        { type: 'map', values: 'int' },
        { a: 1 },
      ),
    ).toStrictEqual(new Map([['a', 1]]));
  });

  it('knows the times of Connect and Debezium', () => {
    const logical = (logicalType: string) => ({ type: 'long', logicalType }) as avro.Schema;
    const connect = (name: string) => ({ type: 'long', 'connect.name': name }) as avro.Schema;
    const timestamp: DataType = { kind: 'TIMESTAMP', digits: 3 };
    expect(fromAvro(timestamp, logical('timestamp-millis'), 7)).toBe(7000);
    expect(fromAvro(timestamp, logical('timestamp-micros'), 7)).toBe(7);
    expect(fromAvro(timestamp, connect('io.debezium.time.MicroTimestamp'), 7)).toBe(7);
    expect(fromAvro(timestamp, 'long', 7)).toBe(7000);
    expect(fromAvro(timestamp, connect('io.debezium.time.NanoTimestamp'), 7000)).toBe(7);
  });

  it('scales decimals exactly or refuses', () => {
    const cents = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } as avro.Schema;
    expect(fromAvro({ kind: 'DECIMAL', precision: 9, scale: 2 }, cents, Buffer.from([0xff]))).toBe(-1);
    expect(fromAvro({ kind: 'DECIMAL', precision: 9, scale: 3 }, cents, Buffer.from([1, 0]))).toBe(2560);
    expect(() => fromAvro({ kind: 'DECIMAL', precision: 9, scale: 1 }, cents, Buffer.from([1]))).toThrow(
      /does not fit/,
    );
    expect(() => fromAvro({ kind: 'INTEGER' }, 'string', 'x')).toThrow(expect.objectContaining({ code: 'bad-record' }));
  });

  it('unwraps envelopes and marks', () => {
    const row = { type: 'record', name: 'Value', fields: [{ name: 'c', type: 'int' }] };
    const text = JSON.stringify({
      type: 'record',
      name: 'Envelope',
      fields: [
        { name: 'before', type: ['null', row] },
        { name: 'after', type: ['null', 'Value'] },
        { name: 'op', type: 'string' },
      ],
    });
    const type = avro.Type.forSchema(JSON.parse(text) as avro.Schema, { wrapUnions: 'never' } as object);
    const decoder = createValueDecoder({
      format: 'AVRO',
      schema: oneColumn({ kind: 'INTEGER' }),
      wrapping: 'envelope',
      resolve: () => text,
    });
    const decode = (value: object) => {
      const bytes = Buffer.concat([frame(1), type.toBuffer(value)]);
      return decoder.decode(bytes, 0, bytes.length);
    };
    expect(decode({ before: null, after: { c: 5 }, op: 'c' })).toStrictEqual([5]);
    expect(decode({ before: { c: 5 }, after: null, op: 'd' })).toBeNull();
  });
});

describe('KAFKA', () => {
  it.each<[DataType, Value, string]>([
    [{ kind: 'INTEGER' }, -2, 'fffffffe'],
    [{ kind: 'BIGINT' }, 9007199254740993n, '0020000000000001'],
    [{ kind: 'DOUBLE' }, 1.5, '3ff8000000000000'],
    [{ kind: 'STRING' }, 'é', 'c3a9'],
    [{ kind: 'BYTES' }, Buffer.from([0]), '00'],
  ])('%j as Kafka serialises it', (type, value, hex) => {
    const options = { format: 'KAFKA', schema: oneColumn(type), keyShape: 'bare' } as const;
    const bytes = createKeyEncoder(options).encode([value])!;
    expect(bytes.toString('hex')).toBe(hex);
    expect(createKeyDecoder(options).decode(bytes, 0, bytes.length)).toStrictEqual([value]);
  });

  it('refuses what it cannot hold', () => {
    const schema = oneColumn({ kind: 'BOOLEAN' });
    expect(() => createValueEncoder({ format: 'KAFKA', schema })).toThrow(/BOOLEAN/);
    expect(() =>
      createKeyDecoder({ format: 'KAFKA', schema: oneColumn({ kind: 'INTEGER' }), keyShape: 'bare' }).decode(
        Buffer.from([1]),
        0,
        1,
      ),
    ).toThrow(/KAFKA/);
  });
});

// Bare keys of neighbouring deletes lie one behind the other in a chunk, so what comes behind a number are other digits, up to the end of all.
it.each<[DataType, string, Value]>([
  [{ kind: 'INTEGER' }, '17', 17],
  [{ kind: 'BIGINT' }, '-17', -17],
  [{ kind: 'TIMESTAMP', digits: 3 }, '17', 17_000],
  [{ kind: 'DECIMAL', precision: 9, scale: 2 }, '1.50', 150],
  [{ kind: 'DOUBLE' }, '1.5', 1.5],
  [{ kind: 'BOOLEAN' }, 'true', true],
  [{ kind: 'STRING' }, '"17"', '17'],
])('a bare key of %j is read to its end, and no byte behind it is looked at', (type, text, value) => {
  const bytes = Buffer.from(`${text}${'1'.repeat(100)}`);
  const guarded = new Proxy(bytes, {
    get(target, name) {
      if (typeof name === 'string' && Number(name) >= text.length) throw new Error(`byte ${name} is another's`);
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? (found as () => unknown).bind(target) : found;
    },
  });
  const decoder = createKeyDecoder({ format: 'JSON', schema: oneColumn(type), keyShape: 'bare' });
  expect(decoder.decode(guarded, 0, text.length)).toStrictEqual([value]);
});

it('leaves columns that the value does not hold to the key', () => {
  const schema: RowSchema = {
    columns: [
      { name: 'k', type: { kind: 'INTEGER' } },
      { name: 'v', type: { kind: 'STRING' } },
    ],
    keyColumns: [0],
  };
  const bytes = createValueEncoder({ format: 'JSON', schema, valueColumns: [1] }).encode([1, 'x']);
  expect(bytes.toString()).toBe('{"v":"x"}');
  expect(
    createValueDecoder({ format: 'JSON', schema, valueColumns: [1] }).decode(bytes, 0, bytes.length),
  ).toStrictEqual([null, 'x']);
  expect(
    createKeyDecoder({ format: 'JSON', schema, keyShape: 'object' }).decode(Buffer.from('{"K":4}'), 0, 7),
  ).toStrictEqual([4]);
});
