import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerValue, type DataType, type Value } from '../../../src/core/data-type.js';
import { createRowPrinter, valuePrinter } from '../../../src/schema/formats/row-printer.js';
import { dateText, timestampText, timeText } from '../../../src/core/time-text.js';
import { anyType, schemaAndRows } from '../../support/value-arbitraries.js';

describe('the row printer', () => {
  it.each<[DataType, Value, strings: string, literals: string]>([
    [{ kind: 'BIGINT' }, 9007199254740993n, '"9007199254740993"', '9007199254740993'],
    [{ kind: 'INTEGER' }, 5, '5', '5'],
    [{ kind: 'DECIMAL', precision: 4, scale: 2 }, -5, '"-0.05"', '-0.05'],
    [{ kind: 'DOUBLE' }, 2, '2', '2.0'],
    [{ kind: 'DOUBLE' }, 1e21, '1e+21', '1e+21'],
    [{ kind: 'DOUBLE' }, NaN, '"NaN"', '"NaN"'],
    [{ kind: 'STRING' }, 'a"b', '"a\\"b"', '"a\\"b"'],
    [{ kind: 'BYTES' }, Buffer.from([255]), '"/w=="', '"/w=="'],
    [{ kind: 'DATE' }, -1, '"1969-12-31"', '"1969-12-31"'],
    [{ kind: 'TIME', digits: 6 }, 45_296_000_001, '"12:34:56.000001"', '"12:34:56.000001"'],
    [{ kind: 'TIMESTAMP', digits: 3 }, 0, '"1970-01-01T00:00:00.000"', '"1970-01-01T00:00:00.000"'],
    [{ kind: 'ARRAY', element: { kind: 'BIGINT' } }, [1, null], '["1",null]', '[1,null]'],
    [{ kind: 'MAP', key: { kind: 'STRING' }, value: { kind: 'DOUBLE' } }, new Map([['k', 1]]), '{"k":1}', '{"k":1.0}'],
    [{ kind: 'STRUCT', fields: [{ name: 'A', type: { kind: 'BIGINT' } }] }, [3], '{"A":"3"}', '{"A":3}'],
  ])('prints %j', (type, value, strings, literals) => {
    expect(valuePrinter(type, { numbers: 'strings' })(value)).toBe(strings);
    expect(valuePrinter(type, { numbers: 'literals' })(value)).toBe(literals);
    expect(valuePrinter(type, { numbers: 'literals' })(null)).toBe('null');
  });

  it('prints JSON for every row', () => {
    fc.assert(
      fc.property(
        schemaAndRows(anyType),
        fc.constantFrom('strings' as const, 'literals' as const),
        ({ schema, rows }, numbers) => {
          const print = createRowPrinter(schema, { numbers });
          for (const row of rows) {
            const object = JSON.parse(print(row)) as Record<string, unknown>;
            expect(Object.keys(object).toSorted()).toStrictEqual(schema.columns.map((c) => c.name).toSorted());
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('times as text', () => {
  it('agrees with the calendar of JavaScript', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
        const iso = new Date(ms).toISOString();
        expect(timestampText(integerValue(BigInt(ms) * 1000n))).toBe(iso.slice(0, -1));
        expect(timestampText(BigInt(ms) * 1000n)).toBe(iso.slice(0, -1));
        expect(dateText(Math.floor(ms / 86_400_000))).toBe(iso.slice(0, 10));
      }),
    );
  });

  it('shows microseconds only where there are some, and none in the strict form', () => {
    expect(timestampText(1_500)).toBe('1970-01-01T00:00:00.001500');
    expect(timestampText(1_500, 3)).toBe('1970-01-01T00:00:00.001');
    expect(timestampText(-1)).toBe('1969-12-31T23:59:59.999999');
    expect(timeText(-3_600_000_000)).toBe('-01:00:00.000');
    expect(dateText(2_932_897)).toBe('+010000-01-01');
  });
});
