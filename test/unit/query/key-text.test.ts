// Keys as text: whatever a key column can hold comes back from its text, alone and in composite keys.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  integerValue,
  type DataType,
  type RowSchema,
  type Value,
} from '../../../src/core/data-type.js';
import { toAppError } from '../../../src/core/errors.js';
import { parseKeyText, printKeyText } from '../../../src/query/key-text.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

const values: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [STRING, fc.string({ unit: 'grapheme' })],
  [STRING, fc.constantFrom('', ',', '%', '%2C', '~', 'a,b', '\n', ' ', '/', '?', '#', '+', '..', '\u0000')],
  [INTEGER, fc.integer()],
  [BIGINT, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integerValue)],
  [BOOLEAN, fc.boolean()],
  // SQLite's key of -0 is that of 0.
  [DOUBLE, fc.double().map((value) => value + 0)],
  [
    { kind: 'DECIMAL', precision: 30, scale: 4 },
    fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n }).map(integerValue),
  ],
  [{ kind: 'DECIMAL', precision: 5, scale: 0 }, fc.integer({ min: -99999, max: 99999 })],
  [BYTES, fc.uint8Array().map((bytes) => Buffer.from(bytes))],
  [DATE, fc.integer({ min: -719_162, max: 2_932_896 })],
  [{ kind: 'TIME', digits: 6 }, fc.integer({ min: 0, max: 86_399_999_999 })],
  [{ kind: 'TIMESTAMP', digits: 6 }, fc.integer({ min: -7_766_949_600_000_000, max: 7_918_821_900_000_000 })],
];

const part = fc.oneof(...values.map(([type, value]) => value.map((it) => [type, it] as const)));

describe(`key text (PROPERTY_SEED=${seed})`, () => {
  it('comes back as the key that it was', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const schema: RowSchema = {
          columns: parts.map(([type], i) => ({ name: `k${i}`, type })),
          keyColumns: parts.map((_, i) => i),
        };
        const key = parts.map(([, value]) => value);
        const text = printKeyText(key, schema);
        expect(text).toMatch(/^[\x21-\x7E]*$/);
        expect(parseKeyText(text, schema, 't')).toEqual(key);
      }),
      { seed, numRuns: 2000 },
    );
  });

  it.each([
    [INTEGER, 'x'],
    [INTEGER, '1.5'],
    [INTEGER, '2147483648'],
    [INTEGER, ''],
    [BIGINT, '9223372036854775808'],
    [BOOLEAN, 'TRUE'],
    [DATE, '2024-02-30'],
    [DATE, '2024-13-01'],
    [{ kind: 'TIME', digits: 6 } as const, '25:00:00'],
    [{ kind: 'DECIMAL', precision: 3, scale: 1 } as const, '1.23'],
    [BYTES, '*'],
    [STRING, '%zz'],
  ])('%o refuses %s', (type, text) => {
    const schema: RowSchema = { columns: [{ name: 'k', type }], keyColumns: [0] };
    try {
      expect(parseKeyText(text, schema, 't')).toBe('refused');
    } catch (error) {
      expect(toAppError(error).code).toBe('bad-key');
    }
  });
});
