// Generators of column types, their values and whole tables, for the laws of the formats.
import fc from 'fast-check';
import { integerValue, type DataType, type RowSchema, type Value } from '../../src/core/data-type.js';
import type { SourceTable, ValueSink } from '../../src/core/row-encoder.js';
import { decimalText } from '../../src/schema/formats/decimal.js';

const int64 = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.maxSafeInteger().map(BigInt),
    fc.integer().map(BigInt),
  )
  .map(integerValue);

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
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale) => ({ kind: 'DECIMAL' as const, precision, scale })),
    ),
);

const fieldName = fc.oneof(
  fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/),
  fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }),
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
    { maxDepth: 2, withCrossShrink: true },
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

export function valueOf(type: DataType): fc.Arbitrary<Value> {
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
      );
    case 'DECIMAL': {
      const limit = 10n ** BigInt(type.precision) - 1n;
      return fc
        .oneof(fc.bigInt({ min: -limit, max: limit }), fc.bigInt({ min: -limit < -9n ? -9n : -limit, max: 9n }))
        .map(integerValue);
    }
    case 'STRING':
      return fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.string({ minLength: 30, maxLength: 90 }));
    case 'BYTES':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    case 'DATE':
      return fc.integer({ min: -719528, max: 2932896 });
    case 'TIME':
      return fc
        .integer({ min: 0, max: type.digits === 3 ? 86_399_999 : 86_399_999_999 })
        .map((n) => (type.digits === 3 ? n * 1000 : n));
    case 'TIMESTAMP':
      return type.digits === 3
        ? fc
            .integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })
            .map((ms) => integerValue(BigInt(ms) * 1000n))
        : fc.bigInt({ min: -62_167_219_200_000_000n, max: 253_402_300_799_999_999n }).map(integerValue);
    case 'ARRAY':
      return fc.array(nullableOf(type.element), { maxLength: 4 });
    case 'MAP':
      return fc
        .uniqueArray(fc.tuple(fc.string({ maxLength: 6 }), nullableOf(type.value)), {
          maxLength: 4,
          selector: ([key]) => key,
        })
        .map((entries) => new Map(entries));
    case 'STRUCT':
      return fc.tuple(...type.fields.map((field) => nullableOf(field.type)));
  }
}

export function nullableOf(type: DataType): fc.Arbitrary<Value> {
  return fc.option(valueOf(type), { nil: null, freq: 6 });
}

/** A schema with one or two key columns anywhere among its columns, and rows of it; key values are not null. */
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
              schema.keyColumns.includes(i) ? valueOf(column.type) : nullableOf(column.type),
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
export function feedSink(sink: ValueSink, type: DataType, value: Value, odd = false): void {
  if (value === null) return sink.null();
  switch (type.kind) {
    case 'BOOLEAN':
      return sink.boolean(value as boolean);
    case 'INTEGER':
    case 'DATE':
      return sink.integer(value as number);
    case 'BIGINT':
      if (typeof value === 'number' && !odd) return sink.integer(value);
      return sink.int64(...halves(value as number | bigint));
    case 'TIME':
    case 'TIMESTAMP':
      if (typeof value === 'number' && !odd) return sink.micros(value);
      return sink.microsWide(...halves(value as number | bigint));
    case 'DOUBLE':
      return sink.double(value as number);
    case 'DECIMAL': {
      const text = Buffer.from(`x${decimalText(value as number | bigint, type.scale)}x`);
      return sink.decimal(text, 1, text.length - 1);
    }
    case 'STRING': {
      const text = value as string;
      // A lone surrogate has no bytes that a source could read.
      if (odd || wellFormedText(text) !== text) return sink.string(text);
      const bytes = Buffer.from(`x${text}x`);
      return sink.utf8(bytes, 1, bytes.length - 1);
    }
    case 'BYTES':
      return sink.bytes(value as Buffer, 0, (value as Buffer).length);
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      throw new Error(`a source hands over no ${type.kind}`);
  }
}

function halves(value: number | bigint): [number, number] {
  const wide = BigInt(value);
  return [Number(wide >> 32n), Number(BigInt.asUintN(32, wide))];
}
