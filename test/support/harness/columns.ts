// Kinds of columns, and for each: how a random value is made, how it is written to each source, how the checker reads it back
// from the source by the source's own functions, and how the same value is recognised in an HTTP answer and in a topic. The
// meeting point is one canonical text per value (null for NULL).
import { canonicalJson, isExactNumber, type ExactJson } from './exact-json.js';
import type { Dice } from './dice.js';

export type Dialect = 'mysql' | 'mariadb' | 'sqlite';
export type Param = string | number | bigint | Buffer | null;

export interface ColumnKind {
  /** A canonical value; never null. */
  make(dice: Dice): string;
  /** The declared type. */
  declare(dialect: Dialect): string;
  param(canonical: string, dialect: Dialect): Param;
  /** A SELECT expression that gives text (or null); `read` makes it canonical. */
  select(column: string, dialect: Dialect): string;
  read(text: string): string;
  /** From a row of /v1, where BIGINT and DECIMAL are strings. */
  answer(value: ExactJson): string;
  /** From a record of a topic in flat JSON, where numbers are literals. */
  record(value: ExactJson): string;
}

export interface LoadColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
}

const isSqlite = (dialect: Dialect): boolean => dialect === 'sqlite';
const asChar = (column: string, dialect: Dialect): string =>
  isSqlite(dialect) ? `CAST(${column} AS TEXT)` : `CAST(${column} AS CHAR)`;

function numberOf(value: ExactJson): string {
  if (!isExactNumber(value)) throw new Error(`${JSON.stringify(value)} is not a number`);
  return value.number;
}

function textOf(value: ExactJson): string {
  if (typeof value !== 'string') throw new Error(`${JSON.stringify(value)} is not a string`);
  return value;
}

export const bigint: ColumnKind = {
  make: (dice) => (dice.chance(0.2) ? wideInteger(dice) : String(dice.between(-1_000_000, 1_000_000))),
  declare: () => 'BIGINT',
  param: (canonical) => BigInt(canonical),
  select: asChar,
  read: (text) => text,
  answer: textOf,
  record: numberOf,
};

function wideInteger(dice: Dice): string {
  const digits = String(dice.between(1, 9)) + Array.from({ length: 17 }, () => dice.between(0, 9)).join('');
  return (dice.chance(0.5) ? '-' : '') + digits;
}

/** SQLite has integers of one size only, which are BIGINT. */
export function int(dialect: Dialect): ColumnKind {
  if (isSqlite(dialect)) return { ...bigint, make: (dice) => String(dice.between(-2_000_000_000, 2_000_000_000)) };
  return {
    make: (dice) => String(dice.between(-2_000_000_000, 2_000_000_000)),
    declare: () => 'INT',
    param: (canonical) => Number(canonical),
    select: asChar,
    read: (text) => text,
    answer: numberOf,
    record: numberOf,
  };
}

export function decimal(digits: number, scale: number): ColumnKind {
  return {
    // SQLite keeps decimals as doubles: 15 digits are exact.
    make: (dice) => {
      const fraction = Array.from({ length: scale }, () => dice.between(0, 9)).join('');
      const whole = dice.between(-9_999_999, 9_999_999);
      return `${whole === 0 ? '0' : whole}.${fraction}`;
    },
    declare: () => `DECIMAL(${digits},${scale})`,
    param: (canonical) => canonical,
    select: (column, dialect) => (isSqlite(dialect) ? `printf('%.${scale}f', ${column})` : asChar(column, dialect)),
    read: (text) => text,
    answer: textOf,
    record: numberOf,
  };
}

export const double: ColumnKind = {
  make: (dice) => String((dice.next() - 0.5) * 10 ** dice.between(-8, 12)),
  declare: () => 'DOUBLE',
  param: (canonical) => Number(canonical),
  // A REAL of SQLite loses digits as text; 17 bring every double back.
  select: (column, dialect) => (isSqlite(dialect) ? `printf('%!.17g', ${column})` : asChar(column, dialect)),
  read: (text) => String(Number(text)),
  answer: (value) => String(Number(numberOf(value))),
  record: (value) => String(Number(numberOf(value))),
};

const pieces = [
  'a',
  'Zürich',
  ' ',
  '"',
  '\\',
  '\n',
  '\t',
  '\u0001',
  'ß',
  '日本',
  '🙂',
  'e\u0301',
  "'",
  '%',
  ',',
  '{',
  '\u2028',
];

export function text(declared: { readonly mysql: string; readonly sqlite: string }, lengthMax: number): ColumnKind {
  return {
    make: (dice) => Array.from({ length: dice.between(0, lengthMax) }, () => dice.pick(pieces)).join(''),
    declare: (dialect) => (isSqlite(dialect) ? declared.sqlite : declared.mysql),
    param: (canonical) => canonical,
    select: (column) => column,
    read: (found) => found,
    answer: textOf,
    record: textOf,
  };
}

/** Key text: names that no collation takes for one another, some with what a URL has to escape. */
export const region: ColumnKind = {
  ...text({ mysql: 'VARCHAR(40) CHARACTER SET utf8mb4', sqlite: 'VARCHAR(40)' }, 1),
  make: (dice) => dice.pick(['north', 'south', 'a/b', 'x,y', '50%', 'São Paulo', '東京', 'q?r&s', '#1', 'plus+']),
};

export const json: ColumnKind = {
  make: (dice) => canonicalJson(JSON.stringify(jsonValue(dice, 3))),
  declare: () => 'JSON',
  param: (canonical) => canonical,
  select: asChar,
  read: canonicalJson,
  answer: (value) => canonicalJson(textOf(value)),
  record: (value) => canonicalJson(textOf(value)),
};

function jsonValue(dice: Dice, depth: number): unknown {
  switch (dice.between(0, depth > 0 ? 6 : 4)) {
    case 0:
      return null;
    case 1:
      return dice.chance(0.5);
    case 2:
      return dice.between(-100_000, 100_000);
    case 3:
      return dice.between(-1000, 1000) / 8;
    case 4:
      return dice.pick(pieces) + dice.pick(pieces);
    case 5:
      return Array.from({ length: dice.between(0, 3) }, () => jsonValue(dice, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: dice.between(0, 3) }, () => [
          dice.pick(['a', 'b', 'ü', 'long name']),
          jsonValue(dice, depth - 1),
        ]),
      );
  }
}

export const blob: ColumnKind = {
  make: (dice) =>
    Buffer.from(Array.from({ length: dice.between(0, 40) }, () => dice.between(0, 255))).toString('base64'),
  declare: () => 'BLOB',
  param: (canonical) => Buffer.from(canonical, 'base64'),
  select: (column) => `HEX(${column})`,
  read: (found) => Buffer.from(found, 'hex').toString('base64'),
  answer: textOf,
  record: textOf,
};

function flagOf(value: ExactJson): string {
  if (typeof value !== 'boolean') throw new Error(`${JSON.stringify(value)} is not a boolean`);
  return String(value);
}

/** BIT(1) is the boolean of MySQL; TINYINT(1) is a number there. */
export const boolean: ColumnKind = {
  make: (dice) => String(dice.chance(0.5)),
  declare: (dialect) => (isSqlite(dialect) ? 'BOOLEAN' : 'BIT(1)'),
  param: (canonical) => (canonical === 'true' ? 1 : 0),
  select: (column, dialect) => asChar(isSqlite(dialect) ? column : `${column}+0`, dialect),
  read: (found) => String(found === '1'),
  answer: flagOf,
  record: flagOf,
};

/** Microseconds; canonical `2024-01-31T10:00:00.000001Z`. */
export const datetime6: ColumnKind = {
  make: (dice) => {
    const ms = dice.between(-2_000_000_000, 4_000_000_000) * 1000;
    const micros = dice.chance(0.3) ? dice.between(0, 999) * 1000 : dice.between(0, 999_999);
    return `${new Date(ms).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`;
  },
  declare: () => 'DATETIME(6)',
  param: (canonical) => canonical.slice(0, -1).replace('T', ' '),
  select: (column, dialect) =>
    isSqlite(dialect) ? `replace(${column}, ' ', 'T') || 'Z'` : `DATE_FORMAT(${column}, '%Y-%m-%dT%H:%i:%s.%fZ')`,
  read: (found) => found,
  answer: (value) => {
    const [, seconds = '', fraction = ''] = /^(.{19})(?:\.(\d+))?$/.exec(textOf(value)) ?? [];
    return `${seconds}.${fraction.padEnd(6, '0')}Z`;
  },
  record: (value) => {
    const micros = BigInt(numberOf(value));
    const part = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const seconds = new Date(Number((micros - part) / 1000n)).toISOString().slice(0, 19);
    return `${seconds}.${String(part).padStart(6, '0')}Z`;
  },
};
