// What the runner of capture scripts reads: statements of scripts, the permission in a head, values in their one form.
import { expect, it } from 'vitest';
import * as form from '../../capture/canonical.js';
import { canonicalJson } from '../../capture/exact-document.js';
import { splitByLines } from '../../capture/script.js';
import { splitStatements } from '../../capture/statements.js';
import { mayStop } from '../../capture/verdict.js';

it('statements end with the delimiter at the end of a line', () => {
  const script = `INSERT INTO t VALUES (';
'); -- a remark
-- nothing; here
CREATE TRIGGER a BEGIN x; y; END;
DELIMITER //
BEGIN
  a;
END //
DELIMITER ;
SELECT 1`;
  expect(splitByLines(script.split('\n'))).toEqual([
    "INSERT INTO t VALUES (';\n')",
    '-- nothing; here\nCREATE TRIGGER a BEGIN x; y; END',
    'BEGIN\n  a;\nEND',
    'SELECT 1',
  ]);
});

it('a backslash is a letter while the session says so', () => {
  const script = String.raw`SELECT 'a\';';
SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
SELECT '\';
SELECT "b\";
SET sql_mode = DEFAULT;
SELECT '\';
';`;
  expect(splitByLines(script.split('\n')).filter((statement) => statement.startsWith('SELECT'))).toEqual([
    String.raw`SELECT 'a\';'`,
    String.raw`SELECT '\'`,
    String.raw`SELECT "b\"`,
    String.raw`SELECT '\';` + "\n'",
  ]);
});

it('statements of the world are split outside of quotes and comments', () => {
  expect(splitStatements("a ';' /* ; */ b; -- c;\nd `;`;\n#;\ne")).toEqual([
    "a ';' /* ; */ b",
    '-- c;\nd `;`',
    '#;\ne',
  ]);
});

it.each([
  ['rows stay, or capture stops with an error', true],
  ['the connector must stop by name of column, not serve NULL', true],
  ['served as text, or refused by name', true],
  ['A clear refusal is right, too.', true],
  ['they are no tables to capture and must not stop anything.', false],
  ['capture never stops here; rows are equal', false],
  ['Rows of partitioned tables.', false],
])('of "%s" it is %s that capture may stop', (head, expected) => {
  expect(mayStop({ head })).toBe(expected);
});

it('documents meet by members and exact numbers', () => {
  expect(canonicalJson('{"b": 1.0, "a": [1e2, -0.50]}')).toBe(canonicalJson('{"a":[100,-0.5],"b":1}'));
  expect(canonicalJson('[12345678901234567890]')).not.toBe(canonicalJson('[12345678901234567891]'));
  expect(canonicalJson('"1.0"')).toBe('"1.0"');
});

it('values of source and answer meet, and only those', () => {
  const pairs: readonly (readonly [form.Form, string | Buffer, unknown])[] = [
    [form.whole, '00042', 42],
    [form.whole, '18446744073709551615', '18446744073709551615'],
    [form.decimal, '0001.50', '1.50'],
    [form.double, '-0', -0],
    [form.float, '1.100000023841858', 1.1],
    [form.bits(1), '1', true],
    [form.bits(9), '257', 'AQE='],
    [form.bytes, Buffer.from([0, 255]), 'AP8='],
    [form.time, '01:02:03.40', '01:02:03.400'],
    [form.datetime, '2024-01-02 03:04:05', '2024-01-02T03:04:05.000'],
    [form.vector, Buffer.from(new Float32Array([1, 0.1]).buffer), [1, 0.1]],
  ];
  for (const [of, source, served] of pairs) expect(of.served(served)).toBe(of.source(Buffer.from(source)));
  expect(form.decimal.served('1.5')).not.toBe(form.decimal.source(Buffer.from('1.50')));
  expect(form.text.served(5)).not.toBe(form.text.source(Buffer.from('5')));
  expect(form.bytes.served('AP9=')).not.toBe('00ff');
});
