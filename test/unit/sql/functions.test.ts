import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BIGINT,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  printType,
  STRING,
  type DataType,
  type Value,
} from '../../../src/core/data-type.js';
import { castBody, doubleText } from '../../../src/sql/functions/cast.js';
import { decimalText, rescale } from '../../../src/core/decimal.js';
import { decimalFromText } from '../../../src/sql/functions/decimal.js';
import { allFunctions, findFunction } from '../../../src/sql/functions/registry.js';
import { parseDate, parseTimestamp } from '../../../src/sql/functions/time-text.js';

const decimal = (precision: number, scale: number): DataType => ({ kind: 'DECIMAL', precision, scale });
const timestamp: DataType = { kind: 'TIMESTAMP', digits: 3 };

function call(name: string, ...args: readonly (readonly [Value, DataType | null])[]): Value {
  const resolved = findFunction(name)!.resolve(args.map(([, type]) => type));
  if (resolved === null) throw new Error(`${name} does not take them`);
  const values = args.map(([value, type], i) => (type === null ? null : castBody(type, resolved.params[i]!)!(value)));
  return resolved.body(...values);
}
const cast = (value: Value, from: DataType, to: DataType): Value => castBody(from, to)!(value);

describe('scalar functions', () => {
  it('exist in the promised set, each with a description and signatures', () => {
    const names = allFunctions().map((fn) => fn.name);
    for (const name of 'ABS CEIL FLOOR ROUND LCASE UCASE LEN TRIM CONCAT SUBSTRING REPLACE COALESCE IFNULL NULLIF AS_VALUE INITCAP EXP LN SQRT SIGN GREATEST LEAST'.split(
      ' ',
    )) {
      expect(names).toContain(name);
    }
    for (const fn of allFunctions()) {
      expect(fn.description).not.toBe('');
      expect(fn.signatures.length).toBeGreaterThan(0);
    }
  });

  it('ROUND to a place in front of all digits is 0', () => {
    expect(call('ROUND', [125, decimal(10, 2)], [-300_000, INTEGER])).toBe(0);
    expect(call('ROUND', [-1.5, DOUBLE], [-300_000, INTEGER])).toBe(0);
    expect(call('ROUND', [5_000_000_000, decimal(10, 2)], [-8, INTEGER])).toBe(10_000_000_000);
    expect(call('ROUND', [0.07, DOUBLE], [-1, INTEGER])).toBe(0);
  });

  it('ROUND and CEIL that need a digit more than the type has do not fit where the store could not hold it', () => {
    const nines = (n: number) => BigInt('9'.repeat(n));
    for (const name of ['ROUND', 'CEIL']) {
      expect(call(name, [99, decimal(2, 1)])).toBe(name === 'CEIL' ? 100 : 10);
      expect(() => call(name, [nines(40), decimal(40, 1)])).toThrow('Numeric field overflow');
      expect(call(name, [nines(39), decimal(40, 1)])).toBe(name === 'CEIL' ? 10n ** 39n : 10n ** 38n);
    }
    expect(() => call('ROUND', [nines(40), decimal(40, 2)], [1, INTEGER])).toThrow('Numeric field overflow');
  });

  it('count positions from 1, or from the end', () => {
    const substring = (position: number, length?: number): Value =>
      length === undefined
        ? call('SUBSTRING', ['some_string', STRING], [position, INTEGER])
        : call('SUBSTRING', ['some_string', STRING], [position, INTEGER], [length, INTEGER]);
    expect([substring(6), substring(6, 3), substring(-6), substring(-6, 3), substring(99), substring(0)]).toEqual([
      'string',
      'str',
      'string',
      'str',
      '',
      'some_string',
    ]);
    expect(call('SUBSTRING', [Buffer.from('bytes'), BYTES], [2, INTEGER])).toEqual(Buffer.from('ytes'));
  });

  it('treat texts as ksqlDB does', () => {
    expect(call('INITCAP', ['the   Quick br0wn fOx', STRING])).toBe('The   Quick Br0wn Fox');
    expect(call('TRIM', ['\t a b \n', STRING])).toBe('a b');
    expect(call('CONCAT', ['a', STRING], [null, null], ['b', STRING])).toBe('ab');
    expect(call('||', ['a', STRING], [null, STRING])).toBeNull();
    expect(call('REPLACE', ['a$1a', STRING], ['a', STRING], ['$&', STRING])).toBe('$&$1$&');
  });

  it('round half up, and decimals exactly', () => {
    expect(call('ROUND', [2.5, DOUBLE])).toBe(3);
    expect(call('ROUND', [-2.5, DOUBLE])).toBe(-2);
    expect(call('ROUND', [2.675, DOUBLE], [2, INTEGER])).toBe(2.68);
    expect(call('ROUND', [12345n * 10n ** 20n + 5n, decimal(33, 16)], [10, INTEGER])).toBe(12345n * 10n ** 20n);
    expect(call('ROUND', [-255, decimal(4, 2)])).toBe(-3);
    expect(call('CEIL', [-255, decimal(4, 2)])).toBe(-200);
    expect(call('FLOOR', [-255, decimal(4, 2)])).toBe(-300);
    expect(call('FLOOR', [255, decimal(4, 2)])).toBe(200);
  });

  it('choose among arguments in their common type', () => {
    const resolved = findFunction('COALESCE')!.resolve([null, INTEGER, decimal(4, 2)])!;
    expect(printType(resolved.result)).toBe('DECIMAL(12, 2)');
    expect(call('GREATEST', [1, INTEGER], [null, null], [250, decimal(4, 2)])).toBe(250);
    expect(call('LEAST', ['b', STRING], ['a', STRING])).toBe('a');
    expect(call('NULLIF', [1, INTEGER], [1, INTEGER])).toBeNull();
    expect(findFunction('COALESCE')!.resolve([INTEGER, STRING])).toBeNull();
    expect(findFunction('COALESCE')!.resolve([])).toBeNull();
  });
});

describe('casts', () => {
  it('between numbers widen exactly and narrow as Java does', () => {
    expect(cast(5, INTEGER, decimal(5, 2))).toBe(500);
    expect(cast(9007199254740993n, BIGINT, STRING)).toBe('9007199254740993');
    expect(cast(2 ** 33 + 5, BIGINT, INTEGER)).toBe(5);
    expect(cast(1e300, DOUBLE, INTEGER)).toBe(2147483647);
    expect(cast(1.005, DOUBLE, decimal(4, 2))).toBe(101);
    expect(cast(-199, decimal(4, 2), INTEGER)).toBe(-1);
    expect(() => cast(1000, INTEGER, decimal(4, 2))).toThrow('Numeric field overflow');
  });

  it('from text refuse what is no value of the type', () => {
    expect(cast(' 12 ', STRING, INTEGER)).toBe(12);
    expect(() => cast('twelve', STRING, INTEGER)).toThrow('invalid input syntax for type INTEGER: "twelve"');
    expect(() => cast('2020-02-30', STRING, DATE)).toThrow('invalid input syntax for type DATE');
    expect(castBody(DATE, INTEGER)).toBeNull();
  });

  it('of doubles print as Java prints them', () => {
    expect([1, 0.001, 1e7, 1.5e-7, -0, NaN, 123456.789].map(doubleText)).toEqual([
      '1.0',
      '0.001',
      '1.0E7',
      '1.5E-7',
      '-0.0',
      'NaN',
      '123456.789',
    ]);
  });

  it('of structs go by the names of fields', () => {
    const from: DataType = {
      kind: 'STRUCT',
      fields: [
        { name: 'b', type: INTEGER },
        { name: 'x', type: INTEGER },
      ],
    };
    const to: DataType = {
      kind: 'STRUCT',
      fields: [
        { name: 'a', type: STRING },
        { name: 'b', type: STRING },
      ],
    };
    expect(cast([7, 8], from, to)).toEqual([null, '7']);
  });

  it('of decimals to text and back are the identity', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat(20), (unscaled, scale) => {
        expect(BigInt(decimalFromText(decimalText(unscaled, scale), 30, scale)!)).toBe(unscaled);
        expect(rescale(rescale(unscaled, scale, scale + 3), scale + 3, scale)).toBe(unscaled);
      }),
    );
  });

  it('of timestamps to text and back are the identity, also before 1970', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (us) => {
        expect(cast(cast(us, timestamp, STRING), STRING, timestamp)).toBe(us);
      }),
    );
    expect(parseTimestamp('2020-01-01T01:00:00+01:00')).toBe(parseTimestamp('2020'));
    expect(parseDate('1900-02-29')).toBeNull();
  });
});
