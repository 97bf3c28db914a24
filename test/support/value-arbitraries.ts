// Types and values of every kind, for laws about what stores and encodes them.
import fc from 'fast-check';
import { integerValue, type DataType, type Value } from '../../src/core/data-type.js';

const decimal = fc.integer({ min: 1, max: 65 }).chain((precision) =>
  fc.record({
    kind: fc.constant('DECIMAL' as const),
    precision: fc.constant(precision),
    scale: fc.integer({ min: 0, max: precision }),
  }),
);

export const scalarType: fc.Arbitrary<DataType> = fc.oneof(
  fc.constantFrom<DataType>(
    { kind: 'BOOLEAN' },
    { kind: 'INTEGER' },
    { kind: 'BIGINT' },
    { kind: 'DOUBLE' },
    { kind: 'STRING' },
    { kind: 'BYTES' },
    { kind: 'DATE' },
    { kind: 'TIME', digits: 6 },
    { kind: 'TIMESTAMP', digits: 3 },
    { kind: 'TIMESTAMP', digits: 6 },
  ),
  decimal,
);

export const anyType: fc.Arbitrary<DataType> = fc.letrec<{ type: DataType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarType,
    tie('type').map((element): DataType => ({ kind: 'ARRAY', element })),
    tie('type').map((value): DataType => ({ kind: 'MAP', key: { kind: 'STRING' }, value })),
    fc
      .array(tie('type'), { minLength: 1, maxLength: 3 })
      .map((types): DataType => ({ kind: 'STRUCT', fields: types.map((type, i) => ({ name: `F"${i}`, type })) })),
  ),
})).type;

const int64 = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 53n) - 3n, max: -(2n ** 53n) + 3n }),
    fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
    fc.bigInt({ min: -1000n, max: 1000n }),
  )
  .map(integerValue);

// Without lone surrogates, which no UTF-8 holds.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', 'a', 'a\u0000', 'a\u0000b', 'ü', '\uffff', '😀', '"\\'),
);

/** A value of the type, never null at the top. */
export function valueOf(type: DataType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'BOOLEAN':
      return fc.boolean();
    case 'INTEGER':
      return fc.integer();
    case 'BIGINT':
    case 'TIMESTAMP':
      return int64;
    case 'DOUBLE':
      return fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 5));
    case 'DECIMAL': {
      const limit = 10n ** BigInt(type.precision) - 1n;
      return fc.oneof(fc.bigInt({ min: -limit, max: limit }), fc.constantFrom(limit, -limit, 0n)).map(integerValue);
    }
    case 'STRING':
      return text;
    case 'BYTES':
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
    case 'DATE':
      return fc.integer({ min: -800_000, max: 3_000_000 });
    case 'TIME':
      return fc.integer({ min: 0, max: 86_399_999_999 });
    case 'ARRAY':
      return fc.array(nullable(type.element), { maxLength: 3 });
    case 'MAP':
      return fc
        .uniqueArray(fc.tuple(text, nullable(type.value)), { maxLength: 3, selector: ([key]) => key })
        .map((entries) => new Map(entries));
    case 'STRUCT':
      return fc.tuple(...type.fields.map((field) => nullable(field.type)));
  }
}

export function nullable(type: DataType): fc.Arbitrary<Value> {
  return fc.option(valueOf(type), { freq: 5 });
}
