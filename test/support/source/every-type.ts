// A seeded matrix of column types: each with NULL, its ends, zero, odd values and values at random, served from snapshot and from
// binlog, and compared with what the server itself says of the same column by its own casts.
import { createDice, type Dice } from '../harness/dice.js';
import type { SqlProduct } from '../servers/sql-client.js';
import { askRows, servedWithCopies, type Place } from './every-text.js';

interface TypeCase {
  readonly type: string;
  readonly only?: SqlProduct;
  /** SQL of the values that are always there. */
  readonly values: readonly string[];
  /** SQL of one more. */
  readonly random: (dice: Dice) => string;
  /** What the server says of column c, as text; NULL of NULL. */
  readonly oracle: string;
  /** The served JSON text in the oracle's form. */
  readonly served: (json: string) => string;
}

const same = (json: string): string => json;
const whole = (json: string): string => BigInt(json).toString();
const double = (json: string): string => String(Number(json));
const hexOfText = (json: string): string =>
  Buffer.from(JSON.parse(json) as string)
    .toString('hex')
    .toUpperCase();
const hexOfBytes = (json: string): string =>
  Buffer.from(JSON.parse(json) as string, 'base64')
    .toString('hex')
    .toUpperCase();
const quoted = (text: string): string => `'${text}'`;

function integer(type: string, low: bigint, high: bigint): TypeCase {
  const at = (dice: Dice) => {
    // Of all lengths alike.
    const value = BigInt(Math.floor(dice.next() * 2 ** 53)) << 11n;
    const shifted = value >> BigInt(dice.between(0, 63));
    const signed = low < 0n && dice.chance(0.5) ? -shifted : shifted;
    return String(signed < low ? low : signed > high ? high : signed);
  };
  const values = [low, high, 0n, 1n, high - 1n, low + 1n].map(String);
  return { type, values, random: at, oracle: 'CAST(c AS CHAR)', served: same };
}

function decimal(precision: number, scale: number): TypeCase {
  const print = (digits: string) => {
    const text = digits.padStart(precision, '0');
    return scale === 0 ? text : `${text.slice(0, precision - scale) || '0'}.${text.slice(precision - scale)}`;
  };
  const random = (dice: Dice) =>
    (dice.chance(0.5) ? '-' : '') +
    print(Array.from({ length: dice.between(1, precision) }, () => dice.between(0, 9)).join(''));
  const nines = print('9'.repeat(precision));
  return {
    type: `DECIMAL(${precision},${scale})`,
    values: ['0', nines, `-${nines}`, print('1'), `-${print('1')}`],
    random,
    oracle: 'CAST(c AS CHAR)',
    served: same,
  };
}

const letters = ['a', 'Z', ' ', 'é', 'ß', '日', '語', '😀', '"', '\\\\', "''", '\\0', '\\n', '𝄞'];
const word = (dice: Dice, max: number) =>
  quoted(Array.from({ length: dice.between(0, max) }, () => dice.pick(letters)).join(''));
const bytes = (dice: Dice, max: number) =>
  `X'${Buffer.from(Array.from({ length: dice.between(0, max) }, () => dice.pick([0, 1, 0x20, 0x7f, 0x80, 0xff, dice.between(0, 255)]))).toString('hex')}'`;

function text(type: string, max: number, more: readonly string[] = [], only?: SqlProduct): TypeCase {
  return {
    type,
    values: ["''", "' '", ...more],
    random: (dice) => word(dice, max),
    oracle: 'HEX(CONVERT(c USING utf8mb4))',
    served: hexOfText,
    ...(only ? { only } : {}),
  };
}

function binary(type: string, max: number, more: readonly string[] = [], only?: SqlProduct): TypeCase {
  return {
    type,
    values: ["X''", "X'00'", ...more],
    random: (dice) => bytes(dice, max),
    oracle: 'HEX(c)',
    served: hexOfBytes,
    ...(only ? { only } : {}),
  };
}

const two = (value: number) => String(value).padStart(2, '0');
const fractionOf = (dice: Dice, digits: number) =>
  digits === 0 ? '' : `.${String(dice.between(0, 10 ** digits - 1)).padStart(digits, '0')}`;
const clock = (dice: Dice, digits: number) =>
  `${two(dice.between(0, 23))}:${two(dice.between(0, 59))}:${two(dice.between(0, 59))}${fractionOf(dice, digits)}`;
const day = (dice: Dice, from: number, to: number) =>
  `${String(dice.between(from, to)).padStart(4, '0')}-${two(dice.between(1, 12))}-${two(dice.between(1, 28))}`;
const micros = (digits: number) => (json: string) => String(BigInt(json) * (digits > 3 ? 1n : 1000n));

function moments(digits: number): TypeCase[] {
  const precision = digits === 0 ? '' : `(${digits})`;
  const last = digits === 0 ? '' : `.${'9'.repeat(digits)}`;
  return [
    {
      type: `TIME${precision}`,
      values: ["'00:00:00'", `'23:59:59${last}'`, "'12:00:00'"],
      random: (dice) => quoted(clock(dice, digits)),
      oracle: 'CAST(HOUR(c) * 3600000000 + MINUTE(c) * 60000000 + SECOND(c) * 1000000 + MICROSECOND(c) AS CHAR)',
      served: micros(digits),
    },
    {
      type: `DATETIME${precision}`,
      values: ["'1970-01-01'", `'9999-12-31 23:59:59${last}'`, "'0001-01-01'", `'1969-12-31 23:59:59${last}'`],
      random: (dice) => quoted(`${day(dice, 1, 9999)} ${clock(dice, digits)}`),
      oracle: "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c) AS CHAR)",
      served: micros(digits),
    },
    {
      type: `TIMESTAMP${precision} NULL`,
      values: ["'1970-01-01 00:00:01'", `'2038-01-19 03:14:07${last}'`, "'2001-09-09 01:46:40'"],
      random: (dice) => quoted(`${day(dice, 1971, 2037)} ${clock(dice, digits)}`),
      oracle: "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c) AS CHAR)",
      served: micros(digits),
    },
  ];
}

const manyLabels = Array.from({ length: 300 }, (_, i) => `e${i}`);
const members = Array.from({ length: 64 }, (_, i) => `m${i}`);
const list = (labels: readonly string[]) => labels.map(quoted).join(',');

function geometry(type: string, value: (dice: Dice) => string): TypeCase {
  return {
    type,
    values: [],
    random: (dice) => `ST_GeomFromText('${value(dice)}', ${dice.pick([0, 0, 3857])})`,
    oracle: 'HEX(c)',
    served: (json) => {
      const { wkb, srid } = JSON.parse(json) as { wkb: string; srid: number };
      const head = Buffer.alloc(4);
      head.writeInt32LE(srid);
      return Buffer.concat([head, Buffer.from(wkb, 'base64')])
        .toString('hex')
        .toUpperCase();
    },
  };
}
const place = (dice: Dice) => `${dice.between(-1_000_000, 1_000_000) / 64} ${dice.between(-1000, 1000)}`;
const line = (dice: Dice) => Array.from({ length: dice.between(2, 5) }, () => place(dice)).join(',');

const uuid = (dice: Dice) =>
  Buffer.from(Array.from({ length: 16 }, () => dice.between(0, 255)))
    .toString('hex')
    .replace(
      /^(.{8})(.{4})(.)(.{3})(.)(.{3})(.{12})$/,
      (_, a: string, b: string, _v, c: string, _w, d: string, e: string) =>
        [a, b, `${dice.between(1, 7)}${c}`, `${dice.pick(['8', '9', 'a', 'b'])}${d}`, e].join('-'),
    );
const group = (dice: Dice) => (dice.chance(0.5) ? '0' : dice.between(0, 65_535).toString(16));

export const typeCases: readonly TypeCase[] = [
  integer('TINYINT', -128n, 127n),
  integer('TINYINT UNSIGNED', 0n, 255n),
  integer('SMALLINT', -32_768n, 32_767n),
  integer('SMALLINT UNSIGNED', 0n, 65_535n),
  integer('MEDIUMINT', -8_388_608n, 8_388_607n),
  integer('MEDIUMINT UNSIGNED', 0n, 16_777_215n),
  integer('INT', -2_147_483_648n, 2_147_483_647n),
  integer('INT UNSIGNED', 0n, 4_294_967_295n),
  integer('BIGINT', -(2n ** 63n), 2n ** 63n - 1n),
  integer('BIGINT UNSIGNED', 0n, 2n ** 64n - 1n),
  {
    ...integer('YEAR', 1901n, 2155n),
    values: ['0', '1901', '2155', "'69'", "'70'"],
    random: (dice) => String(dice.between(1901, 2155)),
    oracle: 'CAST(c + 0 AS CHAR)',
  },
  decimal(10, 2),
  decimal(65, 30),
  decimal(20, 0),
  decimal(9, 9),
  decimal(1, 0),
  decimal(19, 10),
  {
    type: 'FLOAT',
    values: ['0', '3.402823466e38', '1.17549435e-38', '1e-45', '0.1', '-1.1', '16777217', '-0e0'],
    random: (dice) => `${(dice.next() - 0.5) * 10 ** dice.between(-30, 30)}`,
    oracle: 'c * 1e0',
    served: (json) => double(String(Math.fround(Number(json)))),
  },
  {
    type: 'DOUBLE',
    values: ['0', '1.7976931348623157e308', '2.2250738585072014e-308', '5e-324', '-0e0', '0.30000000000000004'],
    random: (dice) => `${(dice.next() - 0.5) * 10 ** dice.between(-300, 300)}`,
    oracle: 'c',
    served: double,
  },
  {
    type: 'BIT(1)',
    values: ["b'0'", "b'1'"],
    random: (dice) => `${dice.between(0, 1)}`,
    oracle: 'CAST(c + 0 AS CHAR)',
    served: (json) => (json === 'true' ? '1' : '0'),
  },
  ...[5, 8, 33, 64].map((bits): TypeCase => ({
    type: `BIT(${bits})`,
    values: ["b'0'", `b'${'1'.repeat(bits)}'`],
    random: (dice) => `b'${Array.from({ length: bits }, () => dice.between(0, 1)).join('')}'`,
    oracle: 'CAST(c + 0 AS CHAR)',
    served: (json) => whole(`0x${hexOfBytes(json)}`),
  })),
  text('CHAR(12)', 12),
  text('VARCHAR(80)', 80, ["REPEAT('é', 80)"]),
  text('VARCHAR(300)', 300, ["REPEAT('😀', 300)"]),
  text('TINYTEXT', 20),
  text('TEXT', 300, ["REPEAT('é日', 3000)"]),
  text('MEDIUMTEXT', 30, ["REPEAT('0123456789', 7000)"]),
  text('LONGTEXT', 30),
  text('VARCHAR(40) CHARACTER SET latin1', 0, ["'é€ÿ'", "X'80818D8F909D9F'"]),
  text('VARCHAR(40) CHARACTER SET utf16', 30),
  text('VARCHAR(40) CHARACTER SET gbk', 0, ["'中国测试'", "'a中b'"]),
  {
    ...text('ENUM', 0),
    type: `ENUM('','a,b','it''s',' lead','ü','0','😀')`,
    values: ["''", "'a,b'", "'it''s'", "' lead'", "'😀'"],
    random: (dice) => String(dice.between(1, 7)),
  },
  {
    ...text('ENUM', 0),
    type: `ENUM(${list(manyLabels)})`,
    values: ["'e0'", "'e299'"],
    random: (dice) => quoted(dice.pick(manyLabels)),
  },
  {
    ...text('SET', 0),
    type: `SET(${list(members)})`,
    values: ["''", "'m0,m63'", '18446744073709551615'],
    random: (dice) => quoted(members.filter(() => dice.chance(0.1)).join(',')),
  },
  {
    ...text('SET', 0),
    type: "SET('x y','é','2')",
    values: ["''", "'é,2'"],
    random: (dice) => String(dice.between(0, 7)),
  },
  binary('BINARY(7)', 7, ["X'FF000000000000'"]),
  binary('BINARY(255)', 255),
  binary('VARBINARY(60)', 60),
  binary('VARBINARY(300)', 300),
  binary('TINYBLOB', 200),
  binary('BLOB', 500),
  binary('MEDIUMBLOB', 30, ["REPEAT(X'FF', 70000)"]),
  binary('LONGBLOB', 30),
  {
    type: 'DATE',
    values: ["'0001-01-01'", "'9999-12-31'", "'1970-01-01'", "'2024-02-29'"],
    random: (dice) => quoted(day(dice, 1, 9999)),
    oracle: "CAST(DATEDIFF(c, '1970-01-01') AS CHAR)",
    served: same,
  },
  ...[0, 1, 2, 3, 4, 5, 6].flatMap(moments),
  {
    type: 'JSON',
    values: [
      `'{"b": 1, "a": [1, 2.50, 1e3, true, null], "10": {}, "__proto__": 1}'`,
      `'18446744073709551615'`,
      `'"\\\\u0001 é😀"'`,
    ],
    random: (dice) =>
      `'{"k": ${dice.between(-100_000, 100_000)}, "x": [${dice.next()}, "${'é'.repeat(dice.between(0, 50))}"]}'`,
    oracle: 'HEX(CONVERT(CAST(c AS CHAR CHARACTER SET utf8mb4) USING utf8mb4))',
    served: hexOfText,
  },
  geometry('POINT', (dice) => `POINT(${place(dice)})`),
  geometry('GEOMETRY', (dice) =>
    dice.pick([`POINT(${place(dice)})`, `LINESTRING(${line(dice)})`, `MULTIPOINT(${line(dice)})`]),
  ),
  geometry('GEOMETRYCOLLECTION', (dice) => `GEOMETRYCOLLECTION(POINT(${place(dice)}),LINESTRING(${line(dice)}))`),
  {
    type: 'VECTOR(3)',
    only: 'mysql',
    values: ["STRING_TO_VECTOR('[0,0,0]')", "STRING_TO_VECTOR('[3.4e38,1e-30,-0.1]')"],
    random: (dice) => `STRING_TO_VECTOR('[${dice.next()},${-dice.next() * 1e10},${dice.between(-5, 5)}]')`,
    oracle: 'HEX(c)',
    served: (json) => {
      const floats = Float32Array.from(JSON.parse(json) as number[]);
      return Buffer.from(floats.buffer).toString('hex').toUpperCase();
    },
  },
  {
    ...text('UUID', 0, [], 'mariadb'),
    values: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
    random: (dice) => quoted(uuid(dice)),
  },
  {
    ...text('INET6', 0, [], 'mariadb'),
    values: ["'::'", "'::1'", "'::1.2.3.4'", "'::ffff:1.2.3.4'", "'1::'"],
    random: (dice) => quoted(Array.from({ length: 8 }, () => group(dice)).join(':')),
  },
  {
    ...text('INET4', 0, [], 'mariadb'),
    values: ["'0.0.0.0'", "'255.255.255.255'"],
    random: (dice) => quoted(Array.from({ length: 4 }, () => dice.pick([0, dice.between(0, 255)])).join('.')),
  },
  text('VARCHAR(2000) COMPRESSED', 200, ["REPEAT('abc', 600)"], 'mariadb'),
  text('LONGTEXT COMPRESSED', 200, ["REPEAT('<p>', 50000)"], 'mariadb'),
  binary('VARBINARY(200) COMPRESSED', 200, [], 'mariadb'),
  binary('LONGBLOB COMPRESSED', 300, ["REPEAT(X'00', 300)"], 'mariadb'),
];

export interface TypeFigures {
  readonly types: number;
  /** That were compared, on both paths together. */
  readonly values: number;
  readonly differences: readonly string[];
}

/** `rows`: of each type beside NULL and the values that are always there. */
export async function compareTypes(where: Place, { rows, seed }: { rows: number; seed: number }): Promise<TypeFigures> {
  const cases = typeCases.filter(({ only }) => only === undefined || only === where.server.product);
  const height = Math.max(...cases.map(({ values }) => values.length)) + 1 + rows;
  const columns = cases.map(({ type }, i) => `c${i} ${type}`);
  const valuesOf = cases.map(({ values, random }, i) => {
    const dice = createDice(seed).fork(`column ${i}`);
    return Array.from({ length: height }, (_, row) => (row === 0 ? 'NULL' : (values[row - 1] ?? random(dice))));
  });
  await askRows(
    where,
    'SET sql_log_bin = 0',
    "SET time_zone = '+00:00'",
    `CREATE TABLE matrix (id INT PRIMARY KEY, ${columns.join(', ')}) CHARACTER SET utf8mb4 ROW_FORMAT = DYNAMIC`,
    ...Array.from(
      { length: height },
      (_, row) => `INSERT INTO matrix VALUES (${row}, ${valuesOf.map((values) => values[row]!).join(', ')})`,
    ),
  );
  const served = await servedWithCopies(where, ['matrix']);
  const oracles = cases.map(({ oracle }, i) => `${oracle.replaceAll(/\bc\b/g, `c${i}`)} AS c${i}`);
  const truth = await askRows(where, "SET time_zone = '+00:00'", `SELECT id, ${oracles.join(', ')} FROM matrix`);
  let values = 0;
  const differences: string[] = [];
  for (const { id, ...own } of truth) {
    for (const table of ['matrix', 'matrix_copy']) {
      const row = fieldsOf(served.get(table)!.get(`{"id":${id}}`)!);
      for (const [i, { type, served: read }] of cases.entries()) {
        const json = row.get(`c${i}`)!;
        const expected = own[`c${i}`] === null ? null : String(own[`c${i}`]);
        const actual = json === 'null' ? null : read(json);
        values++;
        if (actual !== expected) differences.push(`${table} row ${id}, ${type}: ${json} (${actual}), not ${expected}`);
      }
    }
  }
  return { types: cases.length, values, differences: differences.slice(0, 20) };
}

/** The JSON text of each field of an object, as it is. */
function fieldsOf(json: string): Map<string, string> {
  const fields = new Map<string, string>();
  let at = 1;
  while (at < json.length) {
    const nameEnd = json.indexOf('"', at + 1);
    const start = nameEnd + 2;
    let end = start;
    let depth = 0;
    for (let inText = false; end < json.length; end++) {
      const char = json[end];
      if (inText) {
        if (char === '\\') end++;
        else if (char === '"') inText = false;
      } else if (char === '"') inText = true;
      else if (char === '{' || char === '[') depth++;
      else if ((char === '}' || char === ']' || char === ',') && depth === 0) break;
      else if (char === '}' || char === ']') depth--;
    }
    fields.set(json.slice(at + 1, nameEnd), json.slice(start, end));
    at = end + 1;
  }
  return fields;
}
