// Law: a value gives the identical bytes from the snapshot (text protocol) and from the stream (binlog), for every type that is
// covered; and what cannot be converted stops the task, naming column and bytes.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDatabase, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { compareTypes } from '../support/source/every-type.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { runSource } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');

/** [column type, values as SQL]; `mysql` or `mariadb` where only that server has the type. */
const matrix: readonly (readonly [string, readonly string[], ('mysql' | 'mariadb')?])[] = [
  ['TINYINT', ['-128', '127', '0', '-1']],
  ['TINYINT(1)', ['0', '1', '2', '127']],
  ['TINYINT UNSIGNED', ['0', '255', '128']],
  ['SMALLINT', ['-32768', '32767', '-1']],
  ['SMALLINT UNSIGNED', ['0', '65535', '32768']],
  ['MEDIUMINT', ['-8388608', '8388607', '-1']],
  ['MEDIUMINT UNSIGNED', ['0', '16777215', '8388608']],
  ['INT', ['-2147483648', '2147483647', '-1']],
  ['INT UNSIGNED', ['0', '4294967295', '2147483648']],
  ['INT(8) ZEROFILL', ['0', '42']],
  [
    'BIGINT',
    [
      '-9223372036854775808',
      '9223372036854775807',
      '-1',
      '0',
      '9007199254740993',
      '-9007199254740993',
      '4294967296',
      '999999999999999',
      '1000000000000000',
    ],
  ],
  [
    'BIGINT UNSIGNED',
    ['0', '18446744073709551615', '9223372036854775808', '9007199254740991', '9007199254740992', '42'],
  ],
  ['DECIMAL(10,2)', ['0', '-0.01', '99999999.99', '-99999999.99', '1.5', '0.50']],
  [
    'DECIMAL(65,30)',
    ['12345678901234567890123456789012345.123456789012345678901234567890', '-0.000000000000000000000000000001', '0'],
  ],
  ['DECIMAL(20,0)', ['0', '-99999999999999999999', '7']],
  ['DECIMAL(5,5)', ['0.00001', '-0.99999', '0']],
  ['DECIMAL(9,9)', ['0.123456789']],
  ['DECIMAL(18,9)', ['123456789.123456789', '-1']],
  ['DECIMAL(8,2) ZEROFILL', ['1.5', '0']],
  [
    'FLOAT',
    [
      '1.1',
      '-1.1',
      '0',
      '16777216',
      '3.402823466e38',
      '1.17549435e-38',
      '1e-45',
      '0.1',
      '123456.789',
      '33554430',
      '1e10',
      '-0e0',
    ],
  ],
  ['FLOAT(7,3)', ['1234.567', '-0.001']],
  [
    'DOUBLE',
    [
      '1.1',
      '0.1',
      '1.7976931348623157e308',
      '2.2250738585072014e-308',
      '5e-324',
      '-0e0',
      '123456789.123456789',
      '1e15',
      '1e22',
      '0.30000000000000004',
    ],
  ],
  ['DOUBLE(10,2)', ['1.005', '12345678.91', '-3.14']],
  ['CHAR(10)', ["''", "'abc'", "'a  '", "'é日本😀'"]],
  ['VARCHAR(20)', ["''", "'x'", "'é日本😀'", "' lead and trail '", "'quote \" back \\\\ slash'", "'\\n\\t\\0\\r'"]],
  ['VARCHAR(300)', ["REPEAT('é', 300)", "'a'"]],
  ['VARCHAR(20) CHARACTER SET utf8mb3', ["'é日本'", "''"]],
  ['VARCHAR(20) CHARACTER SET latin1', ["'é€ÿ'", "'plain'", "X'80818D8F909D9F'", "X'A0FF'"]],
  ['CHAR(5) CHARACTER SET latin1', ["'é€'", "'ab'"]],
  ['VARCHAR(20) CHARACTER SET ascii', ["'plain'", "''"]],
  ['CHAR(100)', ["REPEAT('日', 100)", "''"]],
  ['TINYTEXT', ["'t'", "''", "REPEAT('x', 255)"]],
  ['TEXT', ["REPEAT('é日', 3000)", "''"]],
  ['MEDIUMTEXT', ["REPEAT('0123456789', 7000)", "'m'"]],
  ['LONGTEXT', ["'l'", "REPEAT('y', 20000)"]],
  ['TEXT CHARACTER SET latin1', ["'é€'", "REPEAT('ü', 1000)"]],
  ['VARCHAR(20) CHARACTER SET gbk', ["'中国测试'", "'a中'", "''"]],
  ['CHAR(8) CHARACTER SET ucs2', ["'měšťan'", "''"]],
  ['TEXT CHARACTER SET utf16le', ["'x😀é'"]],
  ['BINARY(4)', ["X'00'", "X'01020304'", "X'FF000000'", "''"]],
  ['BINARY(255)', ["X'00'", "REPEAT(X'FF', 255)"]],
  ['VARBINARY(8)', ["X''", "X'00'", "X'0100'", "X'FFFE'"]],
  ['VARBINARY(300)', ["REPEAT(X'FE', 300)", "X''"]],
  ['TINYBLOB', ["X'00FF'", "X''"]],
  ['BLOB', ["X'00FF'", "REPEAT(X'00', 300)"]],
  ['MEDIUMBLOB', ["REPEAT(X'FF', 70000)"]],
  ['LONGBLOB', ["X'01'"]],
  ["ENUM('a','b,c','d''e','é')", ["'a'", "'b,c'", "'d''e'", "'é'"]],
  ["ENUM('é','€') CHARACTER SET latin1", ["'é'", "'€'"]],
  ["SET('a','b','c')", ["''", "'a'", "'a,c'", "'a,b,c'"]],
  [`SET(${Array.from({ length: 64 }, (_, i) => `'m${i}'`).join(',')})`, ["'m0,m63'", "'m8,m31,m32'"]],
  ["SET('é','€') CHARACTER SET latin1", ["'é,€'"]],
  ["ENUM('é','ü','plain') CHARACTER SET ucs2", ["'ü'", "'plain'"]],
  ["SET('中','国') CHARACTER SET big5", ["'中'", "''"]],
  ['BIT(1)', ["b'0'", "b'1'"]],
  ['BIT(5)', ["b'10101'", "b'0'"]],
  ['BIT(8)', ["b'11111111'"]],
  ['BIT(64)', ["b'1'", `b'1${'0'.repeat(63)}'`]],
  ['DATE', ["'1970-01-01'", "'0001-01-01'", "'9999-12-31'", "'2024-02-29'", "'1969-12-31'", "'1000-01-01'"]],
  ['TIME', ["'00:00:00'", "'23:59:59'", "'12:34:56'", "'-00:00:01'", "'24:00:00'", "'838:59:59'", "'-838:59:59'"]],
  ['TIME(1)', ["'01:02:03.4'"]],
  ['TIME(3)', ["'01:02:03.456'"]],
  ['TIME(6)', ["'01:02:03.456789'", "'23:59:59.999999'"]],
  [
    'DATETIME',
    [
      "'1970-01-01 00:00:00'",
      "'9999-12-31 23:59:59'",
      "'0001-01-01 00:00:00'",
      "'2255-12-31 23:59:59'",
      "'1900-01-01 12:00:00'",
    ],
  ],
  ['DATETIME(1)', ["'2024-05-06 07:08:09.1'"]],
  ['DATETIME(2)', ["'2024-05-06 07:08:09.12'"]],
  ['DATETIME(3)', ["'2024-05-06 07:08:09.123'", "'1969-12-31 23:59:59.999'"]],
  ['DATETIME(4)', ["'2024-05-06 07:08:09.1234'"]],
  ['DATETIME(5)', ["'2024-05-06 07:08:09.12345'"]],
  ['DATETIME(6)', ["'2024-05-06 07:08:09.123456'", "'9999-12-31 23:59:59.999999'", "'0001-01-01 00:00:00.000001'"]],
  ['TIMESTAMP NULL', ["'1970-01-02 00:00:01'", "'2038-01-18 03:14:07'"]],
  ['TIMESTAMP(3) NULL', ["'2024-05-06 07:08:09.123'"]],
  ['TIMESTAMP(6) NULL', ["'2024-05-06 07:08:09.123456'", "'2038-01-18 03:14:07.999999'"]],
  ['YEAR', ['1901', '2155', '0', '2024']],
  ['GEOMETRY', ["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0,1 1)', 4326)"]],
  ['POINT', ["ST_GeomFromText('POINT(-1.5 2e10)')"]],
  [
    'GEOMETRYCOLLECTION',
    ["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),POLYGON((0 0,0 3,3 3,0 0),(1 2,1 1,2 2,1 2)))')"],
  ],
  ['MULTIPOINT', ["ST_GeomFromText('MULTIPOINT(1 1,2 2)')"]],
  ['MULTILINESTRING', ["ST_GeomFromText('MULTILINESTRING((1 1,2 2),(3 3,4 4))')"]],
  ['MULTIPOLYGON', ["ST_GeomFromText('MULTIPOLYGON(((0 0,0 3,3 3,0 0)))')"]],
  ['POLYGON', ["ST_GeomFromText('POLYGON((0 0,0 3,3 3,0 0))')"]],
  ['VECTOR(3)', ["STRING_TO_VECTOR('[1,2.5,-3e-5]')", "STRING_TO_VECTOR('[0.1,0,3.4e38]')"], 'mysql'],
  [
    'UUID',
    [
      "'123e4567-e89b-12d3-a456-426655440000'",
      "'f47ac10b-58cc-4372-a567-0e02b2c3d479'",
      "'00000000-0000-0000-0000-000000000000'",
    ],
    'mariadb',
  ],
  ['INET6', ["'::'", "'2001:db8::'", "'::ffff:1.2.3.4'", "'1:0:2:3:4:5:6:7'"], 'mariadb'],
  ['INET4', ["'0.0.0.0'", "'255.1.0.20'", "'1.2.0.0'"], 'mariadb'],
  ['VARCHAR(2000) COMPRESSED', ["REPEAT('abc', 500)", "'short'", "''"], 'mariadb'],
  ['VARCHAR(30) CHARACTER SET latin1 COMPRESSED', ["'é'"], 'mariadb'],
  ['VARBINARY(200) COMPRESSED', ["REPEAT(X'FE', 200)", "X''"], 'mariadb'],
  ['LONGTEXT COMPRESSED', ["REPEAT('<p>', 50000)", "'tiny'"], 'mariadb'],
  ['LONGBLOB COMPRESSED', ["REPEAT(X'00', 300)", "X'00'"], 'mariadb'],
  ['TINYTEXT COMPRESSED', ["REPEAT('x', 200)"], 'mariadb'],
  ['YEAR(2)', ['24', '0', '99'], 'mariadb'],
  [
    'JSON',
    [
      `'{"b": 1, "a": [1, 2.50, 1e3, -0.0, true, null, "x\\\\ny"], "10": {}, "9": [], "__proto__": 1, "": "empty"}'`,
      `'1.0'`,
      `'"text with \\\\"quotes\\\\" and \\\\u0001 é😀"'`,
      `'null'`,
      `'true'`,
      `'18446744073709551615'`,
      `'-9223372036854775808'`,
      `'[1e15, 1e16, 1e14, 123456789012345.6, 1.5e300, 1e-14, 1e-15, 1e-16, 5e-324]'`,
      `CONCAT('["', REPEAT('z', 70000), '", 70000, 1.5, {"k": 4294967296}]')`,
      `CONCAT('[', REPEAT('123456,', 20000), '7]')`,
      `CONCAT('{"k": "', REPEAT('é', 40000), '", "n": -70000, "small": -5}')`,
    ],
  ],
  [
    'JSON',
    [
      "JSON_OBJECT('d', CAST('2020-01-02' AS DATE), 't', CAST('-12:34:56.5' AS TIME(6)), 'dt', CAST('2020-01-02 03:04:05.678' AS DATETIME(3)), 'n', CAST(-1.50 AS DECIMAL(10,2)))",
      "JSON_OBJECT('b', X'00FF', 'bit', b'101', 'y', CAST(2020 AS YEAR), 'long', REPEAT(X'FF', 100), 'line', REPEAT(X'00', 57))",
      "JSON_ARRAY(CAST('12345678901234567890123.456' AS DECIMAL(40,3)), 1.5, 0.1e0, -1)",
    ],
    'mysql',
  ],
];

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('values of %s', (product) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(servers[product], 'types');
  });
  afterAll(() => database.drop());

  const source = (more: Record<string, string> = {}) =>
    createMysqlSource(mysqlConfig(servers[product], database.name, more), silentLogger);

  async function query(...statements: string[]): Promise<void> {
    await withConnection(servers[product], async (connection) => {
      await connection.query(`USE ${database.name}`);
      await connection.query("SET sql_mode = 'STRICT_TRANS_TABLES', time_zone = '+00:00', NAMES utf8mb4");
      for (const statement of statements) await connection.query(statement);
    });
  }

  /** Creates both tables, and gives what snapshot and stream made of the same rows, by key. */
  async function bothPaths(columns: readonly string[], inserts: readonly string[]) {
    await query(
      'DROP TABLE IF EXISTS snapshotted, streamed',
      `CREATE TABLE snapshotted (id INT PRIMARY KEY, ${columns.join(', ')}) CHARACTER SET utf8mb4`,
      ...inserts,
    );
    const run = runSource(source({ 'table.include.list': `${database.name}\\.(snapshotted|streamed)` }), null);
    try {
      await run.until(
        (appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'),
        'the end of the snapshot',
      );
      await query('CREATE TABLE streamed LIKE snapshotted', 'INSERT INTO streamed SELECT * FROM snapshotted');
      const count = inserts.length;
      await run.until((appends) => rowsOf(appends, 'streamed').size === count, 'the stream');
      expect(run.tables.get('streamed')!.columns).toEqual(run.tables.get('snapshotted')!.columns);
      return { snapshot: rowsOf(run.appends, 'snapshotted'), stream: rowsOf(run.appends, 'streamed') };
    } finally {
      await run.stop();
    }
  }

  it('are the same bytes from snapshot and stream', async () => {
    const types = matrix.filter(([, , only]) => only === undefined || only === product);
    const height = Math.max(...types.map(([, values]) => values.length)) + 1;
    const inserts = Array.from({ length: height }, (_, row) => {
      const values = types.map(([, list]) => list[row] ?? 'NULL');
      return `INSERT INTO snapshotted VALUES (${row}, ${values.join(', ')})`;
    });
    const { snapshot, stream } = await bothPaths(
      types.map(([type], i) => `c${i} ${type}`),
      inserts,
    );
    expect(snapshot.size).toBe(height);
    for (const [key, value] of snapshot) {
      // Column by column first, so that a difference names its type.
      const [a, b] = [fields(value), fields(stream.get(key)!)];
      for (const name of a.keys()) {
        const type = name === 'id' ? 'id' : types[Number(name.slice(1))]![0];
        expect(`${type} of row ${key}: ${b.get(name)}`).toBe(`${type} of row ${key}: ${a.get(name)}`);
      }
      expect(stream.get(key)).toBe(value);
    }
  });

  it('are what the server itself says of them, at their ends and at random', async () => {
    const { differences, types, values } = await compareTypes(
      { server: servers[product], database: database.name },
      { rows: 12, seed: 20240508 },
    );
    expect(differences).toEqual([]);
    expect(types).toBeGreaterThan(65);
    expect(values).toBeGreaterThan(2000);
  });

  it('keep what the documents promise', async () => {
    const { stream } = await bothPaths(
      [
        'u BIGINT UNSIGNED',
        'f FLOAT',
        'd DECIMAL(8,3)',
        'flag TINYINT(1)',
        'bit1 BIT(1)',
        'bit9 BIT(9)',
        'pad BINARY(3)',
        'day DATE',
        't TIME(2)',
        'at DATETIME(2)',
        'fine TIMESTAMP(4) NULL',
        'y YEAR',
      ],
      [
        "INSERT INTO snapshotted VALUES (1, 18446744073709551615, 1.1, -1.5, 2, b'1', b'100000001', X'01', '1970-01-11', '00:00:01.25', '1970-01-01 00:00:01.5', '2024-01-01 00:00:00.1234', 0)",
      ],
    );
    expect([...stream.values()]).toEqual([
      '{"id":1,"u":18446744073709551615,"f":1.1,"d":-1.500,"flag":2,"bit1":true,"bit9":"AQE=","pad":"AQAA","day":10,"t":1250,"at":1500,"fine":1704067200123400,"y":0}',
    ]);
  });

  it('are the same bytes for random numbers and documents', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((s) => s.replaceAll(/\p{Cs}/gu, ''));
    const document = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(null, true, false),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        text,
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(text, tie('value'), { maxKeys: 5 }),
      ),
    })).value;
    const row = fc.tuple(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat({ max: 9_999_999 })),
      document,
      text,
    );
    const seed = 20240506;
    const rows = fc.sample(row, { seed, numRuns: 300 });
    const inserts: string[] = [];
    await withConnection(servers[product], (connection) => {
      rows.forEach(([double, float, signed, unsigned, [whole, part], json, string], i) => {
        const values = [
          i,
          `${double}`.includes('e') ? `${double}` : `${double}e0`,
          `${float}`.includes('e') ? `${float}` : `${float}e0`,
          `${signed}`,
          `${unsigned}`,
          `${whole}.${String(part).padStart(7, '0')}`,
          connection.escape(JSON.stringify(json)),
          connection.escape(string),
        ];
        inserts.push(`INSERT INTO snapshotted VALUES (${values.join(', ')})`);
      });
      return Promise.resolve();
    });
    const { snapshot, stream } = await bothPaths(
      ['d DOUBLE', 'f FLOAT', 's BIGINT', 'u BIGINT UNSIGNED', 'n DECIMAL(30,7)', 'j JSON', 't VARCHAR(100)'],
      inserts,
    );
    for (const [key, value] of snapshot) expect(stream.get(key), `seed ${seed}, row ${key}`).toBe(value);
    // The numbers against what was written: doubles read back exactly.
    rows.forEach(([double, float], i) => {
      const parsed = JSON.parse(stream.get(`{"id":${i}}`)!) as { d: number; f: number };
      // The text of -0 is 0 in JavaScript, so it was not written; the matrix above has it.
      expect(parsed.d).toBe(double === 0 ? 0 : double);
      expect(Math.fround(parsed.f)).toBe(float === 0 ? 0 : float);
    });
  });

  it.each([
    ['DATE', "'0000-00-00'", {}],
    ['DATE', "'2024-00-01'", {}],
    ['DATETIME', "'0000-00-00 00:00:00'", {}],
    ['TIMESTAMP NULL', "'0000-00-00 00:00:00'", {}],
    ['TIME', "'-00:00:01'", { 'time.range.handling.mode': 'stop' }],
    ['TIME', "'24:00:00'", { 'time.range.handling.mode': 'stop' }],
    ['TIME', "'838:59:59'", { 'time.range.handling.mode': 'stop' }],
  ])(
    '%s %s stops the task from both paths where that is asked for, with the column named',
    async (type, value, handling) => {
      const setUp = ['DROP TABLE IF EXISTS odd', `CREATE TABLE odd (id INT PRIMARY KEY, v ${type})`];
      const insert = ["SET sql_mode = 'ALLOW_INVALID_DATES'", `INSERT INTO odd VALUES (1, ${value})`];
      const failing = { 'event.processing.failure.handling.mode': 'fail' };
      const options = { ...failing, ...handling, 'table.include.list': `${database.name}.odd` };
      const expected = {
        code: 'unconvertible-value',
        message: expect.stringContaining(`${database.name}.odd.v`) as string,
      };
      await query(...setUp);
      const streaming = runSource(source(options), null);
      await streaming.until((appends) => appends.length > 0);
      await query(...insert);
      expect(await streaming.failure()).toMatchObject(expected);
      const snapshot = runSource(source(options), null);
      expect(await snapshot.failure()).toMatchObject({
        ...expected,
        detail: expect.stringMatching(/bytes [0-9a-f]+/) as string,
      });
    },
  );

  it('of columns that are left out are stepped over', async () => {
    await query(
      'DROP TABLE IF EXISTS shapes',
      'CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, s VARCHAR(10) CHARACTER SET sjis, ok INT)',
    );
    const only = { 'table.include.list': `${database.name}.shapes` };
    const run = runSource(source({ ...only, 'column.exclude.list': `${database.name}\\.shapes\\.(g|s)` }), null);
    await run.until((appends) => appends.length > 0);
    await query("INSERT INTO shapes VALUES (1, POINT(1, 2), 'x', 7)");
    await run.until((appends) => appends.some((append) => append.records.length > 0));
    // Transactions of others only move the position.
    const records = run.appends.flatMap((append) => append.records);
    expect(records).toMatchObject([{ value: '{"id":1,"ok":7}' }]);
    await run.stop();
  });
});

function rowsOf(appends: ReturnType<typeof runSource>['appends'], table: string): Map<string, string> {
  const rows = new Map<string, string>();
  for (const append of appends) {
    for (const record of append.records)
      if (record.table === table && record.value !== null) rows.set(record.key, record.value);
  }
  return rows;
}

/** Column name -> JSON text, cut without parsing numbers: strings have no raw quotes inside. */
function fields(json: string): Map<string, string> {
  const result = new Map<string, string>();
  for (const [, name, value] of json.matchAll(/"(id|c\d+)":("(?:[^"\\]|\\.)*"|[^,}]*)/g)) result.set(name!, value!);
  return result;
}
