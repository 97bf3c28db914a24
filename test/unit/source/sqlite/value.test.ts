// Values of SQLite as the sink gets them: what fits is exact, what does not fit is refused.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printType } from '../../../../src/core/data-type.js';
import type { ValueWriter } from '../../../../src/core/row-encoder.js';
import { decimalText, realText } from '../../../../src/source/sqlite/number-text.js';
import { daysOf, fractionDigits, microsOfText, microsOfTime } from '../../../../src/source/sqlite/time-text.js';
import { affinityOf, typeOfDeclared } from '../../../../src/source/sqlite/types.js';
import { createWriter, writeAsText } from '../../../../src/source/sqlite/value.js';
import type { SqlValue } from '../../../../src/sqlite/database.js';
import { Database } from '../../../support/sqlite-driver.js';

/** The calls of one value, as text. */
function written(declared: string, value: NonNullable<SqlValue>, digits: 3 | 6 = 6): string {
  const type = typeOfDeclared(declared, digits);
  let text = '';
  const fits = createWriter(type, 'seconds')(
    recorder((call) => (text += call)),
    value,
  );
  return fits ? text : `${printType(type)} refuses`;
}

function recorder(add: (call: string) => void): ValueWriter {
  const range = (source: Buffer, start: number, end: number) => source.toString('latin1', start, end);
  return {
    null: () => add('null'),
    boolean: (value) => add(`boolean ${value}`),
    integer: (value) => add(`integer ${value}`),
    int64: (high, low) => add(`int64 ${(BigInt(high) << 32n) + BigInt(low)}`),
    double: (value) => add(`double ${value}`),
    decimal: (source, start, end) => add(`decimal ${range(source, start, end)}`),
    utf8: (source, start, end) => add(`utf8 ${range(source, start, end)}`),
    string: (value) => add(`string ${value}`),
    bytes: (source, start, end) => add(`bytes ${source.toString('hex', start, end)}`),
    micros: (value) => add(`micros ${value}`),
    microsWide: (high, low) => add(`microsWide ${(BigInt(high) << 32n) + BigInt(low)}`),
    value: (value) => add(`value ${JSON.stringify(value)}`),
  };
}

it.each([
  ['INTEGER', 5n, 'integer 5'],
  ['UNSIGNED BIG INT', 9007199254740993n, 'int64 9007199254740993'],
  ['INT', -9223372036854775808n, 'int64 -9223372036854775808'],
  ['INT', 1.5, 'BIGINT refuses'],
  ['INT', 'x', 'BIGINT refuses'],
  ['BOOLEAN', 1n, 'boolean true'],
  ['BOOL', 2n, 'BOOLEAN refuses'],
  ['BOOLEAN', 'true', 'BOOLEAN refuses'],
  ['REAL', 0.1, 'double 0.1'],
  ['DOUBLE PRECISION', 3n, 'double 3'],
  ['FLOAT', 9007199254740993n, 'DOUBLE refuses'],
  ['DECIMAL(10,2)', 12.5, 'decimal 12.50'],
  ['DECIMAL(10, 2)', -3n, 'decimal -3.00'],
  ['NUMERIC(4,2)', '1e1', 'decimal 10.00'],
  ['NUMERIC(4,2)', 100n, 'DECIMAL(4, 2) refuses'],
  ['DECIMAL(10,2)', 0.125, 'DECIMAL(10, 2) refuses'],
  ['DECIMAL(5)', 12345n, 'decimal 12345'],
  ['NUMERIC', 7n, 'double 7'],
  ['VARCHAR(20)', 'é', 'string é'],
  ['TEXT', Buffer.from('a'), 'STRING refuses'],
  ['', 1n, 'string 1'],
  ['', 1, 'string 1.0'],
  ['MOOD', 'happy', 'string happy'],
  ['BLOB', Buffer.from([0, 255]), 'bytes 00ff'],
  ['BLOB', 'text', 'BYTES refuses'],
  ['DATE', '1970-01-02', 'integer 1'],
  ['DATE', '2023-02-29', 'DATE refuses'],
  ['DATE', 19000n, 'DATE refuses'],
  ['TIME', '01:02:03.5', 'micros 3723500000'],
  ['TIME', '24:00', 'TIME refuses'],
  ['DATETIME', '1970-01-01 00:00:01', 'micros 1000000'],
  ['TIMESTAMP', '1970-01-01T01:00:00.25+01:00', 'micros 250000'],
  ['TIMESTAMP', '1970-01-01', 'micros 0'],
  ['TIMESTAMP', '1970-01-01 00:00:00.000001', 'micros 1'],
  ['datetime', '2024-05-06 07:08:09.123456', 'micros 1714979289123456'],
  ['TIME', '07:08:09.123456', 'micros 25689123456'],
  // Zeros at the end are no digits: nothing is lost.
  ['DATETIME', '1970-01-01 00:00:00.000001000', 'micros 1'],
  ['DATETIME', '1970-01-01 00:00:00.0000001', 'TIMESTAMP refuses'],
  ['TIMESTAMP(3)', '1970-01-01 00:00:00.000001', 'TIMESTAMP refuses'],
  ['TIMESTAMP(3)', '1970-01-01 00:00:00.001000', 'micros 1000'],
  ['TIME(3)', '00:00:00.000001', 'TIME refuses'],
  ['TIMESTAMP(6)', '1970-01-01 00:00:00.000001', 'micros 1'],
  ['TIMESTAMP', 1700000000n, 'micros 1700000000000000'],
  // Milliseconds in a column of seconds: not the year 55,000.
  ['TIMESTAMP', 1700000000000n, 'TIMESTAMP refuses'],
  ['DATETIME', '9999-12-31 23:59:59', 'microsWide 253402300799000000'],
  ['DATETIME', '0001-01-01', 'microsWide -62135596800000000'],
] as const)('%s column, %s: %s', (declared, value, expected) => {
  expect(written(declared, value)).toBe(expected);
});

it.each(['DATETIME', 'TIMESTAMP', 'TIME'] as const)(
  'takes the precision of %s from its declaration, and the default without one',
  (name) => {
    const digits = (declared: string, byDefault: 3 | 6) => typeOfDeclared(declared, byDefault);
    expect(digits(name, 6)).toMatchObject({ digits: 6 });
    expect(digits(name, 3)).toMatchObject({ digits: 3 });
    expect(digits(`${name}(6)`, 3)).toMatchObject({ digits: 6 });
    for (const few of [0, 3]) expect(digits(`${name}(${few})`, 6)).toMatchObject({ digits: 3 });
  },
);

it('counts the digits behind the second of any time, with a zone or without', () => {
  const zone = fc.constantFrom('', 'Z', ' Z', '+01:00', '-0330');
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.nat(9), zone, (nanos, zeros, suffix) => {
      const fraction = String(nanos).padStart(9, '0');
      const text = `2024-05-06 07:08:09.${fraction}${'0'.repeat(zeros)}${suffix}`;
      const digits = fraction.replace(/0+$/, '').length;
      expect(fractionDigits(text)).toBe(Math.max(digits, 1));
      // What is counted is what decides whether a column of six digits holds it.
      if (zeros === 0) expect(microsOfText(text) === null).toBe(digits > 6);
    }),
  );
  expect(fractionDigits('2024-05-06 07:08:09')).toBeNull();
  expect(fractionDigits('yesterday')).toBeNull();
});

it('gives every storage class a text where the column is read as text', () => {
  const text = (value: NonNullable<SqlValue>) => {
    let got = '';
    writeAsText(
      recorder((call) => (got = call)),
      value,
    );
    return got;
  };
  expect([text(5n), text(1), text('x'), text(Buffer.from([171]))]).toEqual([
    'string 5',
    'string 1.0',
    'string x',
    "string X'AB'",
  ]);
});

it('refuses a DECIMAL that no one can hold', () => {
  expect(() => typeOfDeclared('DECIMAL(60,2)', 3)).toThrow(expect.objectContaining({ code: 'unsupported-type' }));
  expect(() => typeOfDeclared('DECIMAL(5,9)', 3)).toThrow(expect.objectContaining({ code: 'unsupported-type' }));
});

it('writes decimals as exactly as BigInt arithmetic does', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
      fc.integer({ min: 0, max: 6 }),
      (unscaled, scale) => {
        const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
        const sign = unscaled < 0n ? '-' : '';
        const text = scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
        expect(decimalText(text, 38, scale)).toBe(text);
        expect(decimalText(`${unscaled}e-${scale}`, 38, scale)).toBe(text);
      },
    ),
  );
});

it('prints reals so that they read back, and as SQLite does where SQLite is exact', () => {
  const database = new Database(':memory:');
  const cast = database.prepare('SELECT CAST(? AS TEXT)').pluck();
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.integer({ min: -1e6, max: 1e6 }), (any, whole) => {
      expect(Number(realText(any).replace('Inf', 'Infinity')) === any).toBe(true);
      expect(realText(whole / 4)).toBe(cast.get(whole / 4));
    }),
  );
  database.close();
});

it('agrees with SQLite about days and times of day', () => {
  const database = new Database(':memory:');
  const days = database.prepare('SELECT CAST(julianday(?) - 2440587.5 AS INTEGER)').pluck();
  const seconds = database.prepare('SELECT unixepoch(?)').pluck();
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }), (date) => {
      const day = date.toISOString().slice(0, 10);
      expect(daysOf(day)).toBe(days.get(day));
      const moment = date.toISOString().slice(0, 19);
      expect(Number(microsOfText(moment))).toBe(Number(seconds.get(moment)) * 1_000_000);
      expect(microsOfTime(moment.slice(11))).toBe((Number(seconds.get(moment)) % 86_400) * 1_000_000);
    }),
  );
  database.close();
});

it('knows affinities as SQLite does', () => {
  const database = new Database(':memory:');
  const stored: Record<string, string> = {
    INTEGER: 'integer',
    TEXT: 'text',
    BLOB: 'text',
    REAL: 'real',
    NUMERIC: 'integer',
  };
  for (const declared of [
    'INT',
    'CHARINT',
    'VARCHAR(5)',
    'BLOB',
    '',
    'FLOATING POINT',
    'STRING',
    'DECIMAL(4,1)',
    'DOUBLE',
  ]) {
    database.exec(`DROP TABLE IF EXISTS t; CREATE TABLE t (c ${declared}); INSERT INTO t VALUES ('12')`);
    expect(stored[affinityOf(declared)], declared).toBe(database.prepare('SELECT typeof(c) FROM t').pluck().get());
  }
  database.close();
});
