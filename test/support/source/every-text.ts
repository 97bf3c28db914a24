// Text in every character set that a server has, served from snapshot and from binlog and compared with the server's own CONVERT:
// each character that a column can hold (or every so many of them), and bytes at random.
import type { RowDataPacket } from 'mysql2/promise';
import { silentLogger } from '../../../src/core/logger.js';
import { createMysqlSource } from '../../../src/source/mysql/mysql-source.js';
import { createDice } from '../harness/dice.js';
import { withConnection, type SqlAddress } from '../servers/sql-client.js';
import { foldAppends, runSource } from '../source-run.js';
import { mysqlConfig } from './mysql-config.js';

const digits = Array.from({ length: 16 }, (_, i) => `SELECT ${i} AS x`).join(' UNION ALL ');
/** 0 to 255 as `n`. */
export const bytes = `(SELECT a.x * 16 + b.x AS n FROM (${digits}) a, (${digits}) b) bytes`;
/** 0 to 65535 as `n`. */
const numbers = `(SELECT a.x * 4096 + b.x * 256 + c.x * 16 + d.x AS n FROM (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) d) numbers`;
/** Codes by the number of their bytes, as hexadecimal text of n. */
const twoBytes = "LPAD(HEX(n), 4, '0')";
const codesOf: Readonly<Record<string, readonly string[]>> = {
  // A prime step over all that four bytes can be; every one of them is in the long run.
  gb18030: [twoBytes, ...[0, 1, 2, 3].map((part) => quad(`(n + ${part * 65_536}) * 61`))],
  utf16: [twoBytes, "CONCAT('D8', LPAD(HEX(n DIV 256), 2, '0'), 'DC', LPAD(HEX(n % 256), 2, '0'))"],
  utf16le: [twoBytes, "CONCAT(LPAD(HEX(n DIV 256), 2, '0'), 'DB', LPAD(HEX(n % 256), 2, '0'), 'DE')"],
  // Surrogates alone are no text.
  ucs2: ["LPAD(HEX(IF(n BETWEEN 55296 AND 57343, 65, n)), 4, '0')"],
  utf32: ["LPAD(HEX(IF(n * 17 BETWEEN 55296 AND 57343, 65, n * 17)), 8, '0')"],
  ujis: [twoBytes, `CONCAT('8F', ${twoBytes})`],
  eucjpms: [twoBytes, `CONCAT('8F', ${twoBytes})`],
  utf8mb3: [twoBytes, `CONCAT('E4', ${twoBytes})`],
  utf8mb4: [twoBytes, `CONCAT('F09F', ${twoBytes})`],
};

function quad(n: string): string {
  return `CONCAT(HEX(129 + ${n} DIV 12600 % 126), HEX(48 + ${n} DIV 1260 % 10), HEX(129 + ${n} DIV 10 % 126), HEX(48 + ${n} % 10))`;
}

/** A database of a server, asked with plain rules. */
export interface Place {
  readonly server: SqlAddress;
  readonly database: string;
}

/** Runs statements on one connection; gives the rows of the last one. */
export async function askRows({ server, database }: Place, ...statements: readonly string[]): Promise<RowDataPacket[]> {
  return withConnection(server, async (connection) => {
    await connection.query(`USE ${database}`);
    await connection.query("SET NAMES utf8mb4, sql_mode = '', group_concat_max_len = 1000000000, max_error_count = 0");
    let last: RowDataPacket[] = [];
    for (const statement of statements) [last] = await connection.query<RowDataPacket[]>(statement);
    return last;
  });
}

export interface Charset {
  readonly name: string;
  /** Some of its characters have more than one byte. */
  readonly wide: boolean;
}

export async function charsetsOf(place: Place): Promise<Charset[]> {
  const listed = await askRows(
    place,
    'SELECT CHARACTER_SET_NAME AS name, MAXLEN AS bytes FROM information_schema.CHARACTER_SETS ORDER BY name',
  );
  return listed
    .map(({ name, bytes }) => ({ name: String(name), wide: Number(bytes) > 1 }))
    .filter(({ name }) => name !== 'binary');
}

/** What snapshot and stream serve of tables whose copies are made while they run, and of the copies. */
export async function servedWithCopies(
  place: Place,
  tables: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Map<string, Map<string, string>>> {
  const { server, database } = place;
  const copies = tables.map((table) => `${table}_copy`);
  const list = [...tables, ...copies].map((table) => `${database}.${table}`).join(',');
  const source = createMysqlSource(
    mysqlConfig(server, database, { 'table.include.list': list, ...more }),
    silentLogger,
  );
  const run = runSource(source, null);
  try {
    await run.until((appends) => appends.some(({ control }) => control !== undefined), 'the end of the snapshot');
    for (const [i, table] of tables.entries())
      await askRows(
        place,
        `CREATE TABLE ${copies[i]} LIKE ${table}`,
        `INSERT INTO ${copies[i]} SELECT * FROM ${table}`,
      );
    let served = foldAppends(run.appends);
    await run.until(() => {
      served = foldAppends(run.appends);
      return tables.every((table, i) => served.get(copies[i]!)?.size === served.get(table)?.size);
    }, 'the copies in the stream');
    return served;
  } finally {
    await run.stop();
  }
}

export interface TextFigures {
  readonly charsets: number;
  readonly characters: number;
  /** Of the first that differ, what was served and what the server says. */
  readonly differences: readonly string[];
}

/** `step`: 1 for every character of every set, n for each n-th code. */
export async function compareTexts(place: Place, { step, seed }: { step: number; seed: number }): Promise<TextFigures> {
  const charsets = await charsetsOf(place);
  const dice = createDice(seed);
  const columns = charsets.map(({ name }) => `c_${name} MEDIUMTEXT CHARACTER SET ${name}`);
  const fill = ({ name, wide }: Charset): string[] => [
    ...["LPAD(HEX(n), 2, '0')", ...(codesOf[name] ?? (wide ? [twoBytes] : []))].map(
      (code, i) => `
        INSERT IGNORE INTO texts (id, c_${name})
        SELECT ${i * 1000} + n DIV 256, GROUP_CONCAT(UNHEX(hex) ORDER BY n SEPARATOR '') FROM (
          SELECT n, hex, CONVERT(UNHEX(hex) USING ${name}) AS text
          FROM (SELECT n, ${code} AS hex FROM ${i === 0 ? bytes : `${numbers} WHERE n % ${step} = 0`}) codes) texts
        WHERE HEX(text) = hex AND (hex = '3F' OR HEX(CONVERT(text USING utf8mb4)) <> '3F') GROUP BY n DIV 256
        ON DUPLICATE KEY UPDATE c_${name} = VALUES(c_${name})`,
    ),
    // What is no character of the set the server leaves out or replaces, but for the sets in which it takes lone surrogates.
    ...Array.from({ length: /ucs2|utf32|utf8/.test(name) ? 0 : 10 }, (_, i) => {
      const random = Buffer.from(Array.from({ length: 60 }, () => dice.between(0, 255)));
      return `
        INSERT IGNORE INTO texts (id, c_${name}) VALUES (${9000 + i}, X'${random.toString('hex')}')
        ON DUPLICATE KEY UPDATE c_${name} = VALUES(c_${name})`;
    }),
  ];
  await askRows(
    place,
    // What is there before is read by the snapshot.
    'SET sql_log_bin = 0',
    `CREATE TABLE texts (id INT PRIMARY KEY, ${columns.join(', ')}) CHARACTER SET utf8mb4`,
    ...charsets.flatMap(fill),
  );
  const served = await servedWithCopies(place, ['texts']);
  const converted = charsets.map(({ name }) => `CONVERT(c_${name} USING utf8mb4) AS c_${name}`);
  let characters = 0;
  const differences: string[] = [];
  for (const { id, ...expected } of await askRows(place, `SELECT id, ${converted.join(', ')} FROM texts`)) {
    for (const table of ['texts', 'texts_copy']) {
      const row = JSON.parse(served.get(table)!.get(`{"id":${id}}`)!) as Record<string, string | null>;
      for (const [name, text] of Object.entries(expected) as [string, string | null][]) {
        characters += text?.length ?? 0;
        if (row[name] !== text) differences.push(`${table} ${id} ${name}: ${row[name]} instead of ${text}`);
      }
    }
  }
  return { charsets: charsets.length, characters, differences: differences.slice(0, 10) };
}
