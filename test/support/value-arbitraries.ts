// Types and values of every kind, and whole tables of them, for laws about what stores, encodes and prints them.
import fc from 'fast-check';
import { integerValue, type DataType, type RowSchema, type Value } from '../../src/core/data-type.js';
import type { SourceTable, ValueWriter } from '../../src/core/row-encoder.js';
import { decimalText } from '../../src/core/decimal.js';
import { writeValue } from '../../src/schema/formats/write-value.js';

export const scalarType: fc.Arbitrary<DataType> = fc.oneof(
  fc.constantFrom<DataType>(
    { kind: 'BOOLEAN' },
    { kind: 'INTEGER' },
    { kind: 'BIGINT' },
    { kind: 'DOUBLE' },
    { kind: 'STRING' },
    { kind: 'BYTES' },
    { kind: 'DATE' },
    { kind: 'TIME', digits: 3 },
    { kind: 'TIME', digits: 6 },
    { kind: 'TIMESTAMP', digits: 3 },
    { kind: 'TIMESTAMP', digits: 6 },
  ),
  // As many digits as MySQL has.
  fc
    .integer({ min: 1, max: 65 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale) => ({ kind: 'DECIMAL' as const, precision, scale })),
    ),
);

/** Names that mean something to somebody on the way: to every object in JavaScript, to SQLite, to us, to SQL. */
export const oddNames: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'rowid',
  '_rowid_',
  'oid',
  'wt_rowtime',
  'sqlite_a',
  'wt_a',
  't1_v1',
  'rowtime',
  'rowpartition',
  'windowstart',
  'select',
  'then',
  'length',
];

const fieldName = fc.oneof(
  fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/),
  fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }),
  // A quote needs care wherever a name stands between quotes.
  fc.constantFrom('F"0', 'F"1', 'F"2'),
  fc.constantFrom(...oddNames),
);

/** Names that differ also without regard to case: what tables have after their stated suffixes. */
function names(count: { min: number; max: number }) {
  return fc.uniqueArray(fieldName, {
    minLength: count.min,
    maxLength: count.max,
    selector: (name) => name.toUpperCase(),
  });
}

export const anyType: fc.Arbitrary<DataType> = fc.letrec<{ type: DataType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarType,
    tie('type').map((element) => ({ kind: 'ARRAY' as const, element })),
    tie('type').map((value) => ({ kind: 'MAP' as const, key: { kind: 'STRING' as const }, value })),
    names({ min: 1, max: 3 }).chain((list) =>
      fc
        .tuple(...list.map(() => tie('type')))
        .map((types) => ({ kind: 'STRUCT' as const, fields: list.map((name, i) => ({ name, type: types[i]! })) })),
    ),
  ),
})).type;

/**
 * Who is to give the values back as they were. A `store` keeps times to the µs under every type, but text as UTF-8, which holds no
 * lone surrogates. A `format` carries times no finer than the digits of their type, but any text (Avro's stated exception aside).
 */
export type Carrier = 'store' | 'format';

const int64 = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.maxSafeInteger().map(BigInt),
    fc.integer().map(BigInt),
    // Where numbers end and bigints begin.
    fc.bigInt({ min: -(2n ** 53n) - 3n, max: -(2n ** 53n) + 3n }),
    fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
    fc.bigInt({ min: -1000n, max: 1000n }),
  )
  .map(integerValue);

const utf8Text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string(),
  fc.string({ maxLength: 6 }),
  fc.string({ minLength: 30, maxLength: 90 }),
  fc.constantFrom('', 'a', 'a\u0000', 'a\u0000b', 'ü', '\uffff', '😀', '"\\'),
);
const anyText = fc.oneof(utf8Text, fc.string({ unit: fc.constantFrom('\ud800', '\udfff', 'a', 'ü'), maxLength: 4 }));
const textFor = { store: utf8Text, format: anyText };

// From the year 0 to 9999, which have a text of the usual form, and beyond.
const days = fc.oneof(fc.integer({ min: -719_528, max: 2_932_896 }), fc.integer({ min: -800_000, max: 3_000_000 }));
const microsOfEpoch = fc.oneof(
  fc.bigInt({ min: -62_167_219_200_000_000n, max: 253_402_300_799_999_999n }).map(integerValue),
  int64,
);
const microsOfDay = fc.integer({ min: 0, max: 86_399_999_999 });

function time(micros: fc.Arbitrary<number | bigint>, digits: 3 | 6, carrier: Carrier): fc.Arbitrary<number | bigint> {
  const wholeMillis = micros.map((value) => integerValue((BigInt(value) / 1000n) * 1000n));
  return digits === 3 && carrier === 'format' ? wholeMillis : fc.oneof(wholeMillis, micros);
}

/** A value of the type, never null at the top. */
export function valueOf(type: DataType, carrier: Carrier = 'store'): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'BOOLEAN':
      return fc.boolean();
    case 'INTEGER':
      return fc.integer();
    case 'BIGINT':
      return int64;
    case 'DOUBLE':
      return fc.oneof(
        fc.double(),
        fc.integer().map((n) => n / 100),
        fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 5),
      );
    case 'DECIMAL': {
      const limit = 10n ** BigInt(type.precision) - 1n;
      return fc
        .oneof(
          fc.bigInt({ min: -limit, max: limit }),
          fc.bigInt({ min: -9n, max: 9n }),
          fc.constantFrom(limit, -limit, 0n),
        )
        .map(integerValue);
    }
    case 'STRING':
      return textFor[carrier];
    case 'BYTES':
      return fc
        .oneof(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 40 }))
        .map((bytes) => Buffer.from(bytes));
    case 'DATE':
      return days;
    case 'TIME':
      return time(microsOfDay, type.digits, carrier);
    case 'TIMESTAMP':
      return time(microsOfEpoch, type.digits, carrier);
    case 'ARRAY':
      return fc.array(nullableOf(type.element, carrier), { maxLength: 4 });
    case 'MAP':
      return fc
        .uniqueArray(fc.tuple(textFor[carrier], nullableOf(type.value, carrier)), {
          maxLength: 4,
          selector: ([key]) => key,
        })
        .map((entries) => new Map(entries));
    case 'STRUCT':
      return fc.tuple(...type.fields.map((field) => nullableOf(field.type, carrier)));
  }
}

export function nullableOf(type: DataType, carrier: Carrier = 'store'): fc.Arbitrary<Value> {
  return fc.option(valueOf(type, carrier), { nil: null, freq: 5 });
}

/** A schema with one or two key columns anywhere among its columns, and rows of it for a format; key values are not null. */
export function schemaAndRows(
  type: fc.Arbitrary<DataType>,
  rowCount = 5,
): fc.Arbitrary<{ schema: RowSchema; rows: Value[][] }> {
  return names({ min: 1, max: 7 })
    .chain((list) =>
      fc.record({
        types: fc.tuple(...list.map(() => type)),
        keyColumns: fc.shuffledSubarray([...list.keys()], { minLength: 1, maxLength: Math.min(2, list.length) }),
        list: fc.constant(list),
      }),
    )
    .map(({ types, keyColumns, list }) => ({ columns: list.map((name, i) => ({ name, type: types[i]! })), keyColumns }))
    .chain((schema) =>
      fc
        .array(
          fc.tuple(
            ...schema.columns.map((column, i) =>
              schema.keyColumns.includes(i) ? valueOf(column.type, 'format') : nullableOf(column.type, 'format'),
            ),
          ),
          {
            minLength: 1,
            maxLength: rowCount,
          },
        )
        .map((rows) => ({ schema, rows })),
    );
}

/** The table that a source would describe for a schema. */
export function sourceTable(schema: RowSchema, keyNullable = true): SourceTable {
  return {
    database: 'db',
    table: 't',
    columns: schema.columns.map((column, i) => ({
      ...column,
      nullable: keyNullable || !schema.keyColumns.includes(i),
      sourceType: column.type.kind,
    })),
    keyColumns: schema.keyColumns,
  };
}

/** The text as UTF-8 can hold it: lone surrogates replaced. */
export function wellFormedText(text: string): string {
  return Buffer.from(text).toString();
}

/** Hands a value to a sink as a source does; `odd` chooses the less usual of two ways. */
export function feedSink(sink: ValueWriter, type: DataType, value: Value, odd = false): void {
  if (odd && typeof value === 'number' && type.kind === 'BIGINT') return sink.int64(...halves(value));
  if (odd && typeof value === 'number' && (type.kind === 'TIME' || type.kind === 'TIMESTAMP'))
    return sink.microsWide(...halves(value));
  // A lone surrogate has no bytes that a source could read.
  if (!odd && typeof value === 'string' && wellFormedText(value) === value) return sink.utf8(...within(value));
  if (value !== null && type.kind === 'DECIMAL')
    return sink.decimal(...within(decimalText(value as number | bigint, type.scale)));
  writeValue(sink, type, value);
}

/** As a source has a text: somewhere in a buffer. */
function within(text: string): [source: Buffer, start: number, end: number] {
  const around = Buffer.from(`x${text}x`);
  return [around, 1, around.length - 1];
}

function halves(value: number): [number, number] {
  const wide = BigInt(value);
  return [Number(wide >> 32n), Number(BigInt.asUintN(32, wide))];
}
