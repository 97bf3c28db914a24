// What the bytes of a character set mean, asked of the server itself: it converts every code of one and two bytes (and of three and
// four where the set has them), and its answer is the table that both readers decode by. So text is what the server's own SELECT
// shows, in each version and product, without a table of ours. A few queries of some milliseconds for each set that a captured
// column has, once for each version of the server.
import { absent, computed, quadNumber, unmapped, type CharsetTable } from './charset.js';
import type { Session } from './connection.js';
import type { TableColumn } from './column-form.js';

export class CharsetTables {
  /** Which server has given them. */
  #version = '';
  readonly #tables = new Map<string, CharsetTable>();

  /** Undefined: a set that is computed, or one that was not loaded. */
  get(charset: string): CharsetTable | undefined {
    return this.#tables.get(charset);
  }

  /** Everything that is needed to read these columns is here. */
  cover(columns: readonly TableColumn[]): boolean {
    return charsetsOf(columns).every((charset) => this.#tables.has(charset));
  }

  load(session: Session, version: string, columns: readonly TableColumn[]): Promise<void> {
    return this.#loadAll(session, version, charsetsOf(columns));
  }

  /** Of text that is no column's. */
  async loadSet(session: Session, version: string, charset: string): Promise<CharsetTable | undefined> {
    if (!computed.has(charset)) await this.#loadAll(session, version, [charset]);
    return this.get(charset);
  }

  async #loadAll(session: Session, version: string, charsets: readonly string[]): Promise<void> {
    if (this.#version !== version) this.#tables.clear();
    this.#version = version;
    for (const charset of charsets) {
      if (!this.#tables.has(charset)) this.#tables.set(charset, await askTable(session, charset));
    }
  }
}

/** Those of them that have a table. */
function charsetsOf(columns: readonly TableColumn[]): string[] {
  const names = columns.flatMap(({ form }) => ('charset' in form && !computed.has(form.charset) ? [form.charset] : []));
  return [...new Set(names)];
}

async function askTable(session: Session, charset: string): Promise<CharsetTable> {
  const { bytes } = await session.one(
    `SELECT MAXLEN AS bytes FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = '${charset}'`,
  );
  const longest = Number(bytes);
  const ask = (width: number, count: number, code: string) => askCodes(session, charset, { width, count, code });
  const single = await ask(1, 256, "LPAD(HEX(n), 2, '0')");
  // A byte that a set of single bytes has no character for is shown as a question mark, too.
  if (longest === 1) single.forEach((code, byte) => code === absent && (single[byte] = unmapped));
  const double = longest > 1 ? await ask(2, 65_536, "LPAD(HEX(n), 4, '0')") : undefined;
  const leads = new Uint8Array(256);
  double?.forEach((code, place) => code !== absent && (leads[place >> 8] = 1));
  if (longest === 3) leads[0x8f] = 1;
  return {
    single,
    leads,
    double,
    triple: longest === 3 ? await ask(3, 65_536, "CONCAT('8F', LPAD(HEX(n), 4, '0'))") : undefined,
    quad: longest === 4 ? await ask(4, quadNumber(0x85, 0x30, 0x81, 0x30), quadCode) : undefined,
    asciiIsItself: single.subarray(0, 0x80).every((code, byte) => code === byte),
  };
}

const quadCode =
  'CONCAT(HEX(129 + n DIV 12600), HEX(48 + n DIV 1260 % 10), HEX(129 + n DIV 10 % 126), HEX(48 + n % 10))';
const nibbles = Array.from({ length: 16 }, (_, i) => `SELECT ${i}${i === 0 ? ' AS x' : ''}`).join(' UNION ALL ');

/** `code`: the hexadecimal text of code number n. What is no character comes back shortened, replaced or as NULL. */
async function askCodes(
  session: Session,
  charset: string,
  { width, count, code }: { readonly width: number; readonly count: number; readonly code: string },
): Promise<Uint32Array> {
  const places = Math.ceil(Math.log2(count) / 4);
  const letters = ['a', 'b', 'c', 'd'].slice(0, places);
  const number = letters.map((letter, i) => `${letter}.x * ${16 ** (places - 1 - i)}`).join(' + ');
  const rows = await session.queryLong(
    `SELECT n, HEX(CONVERT(text USING utf32)) AS code
     FROM (SELECT n, hex, CONVERT(UNHEX(hex) USING ${charset}) AS text
       FROM (SELECT n, ${code} AS hex
         FROM (SELECT ${number} AS n FROM ${letters.map((letter) => `(${nibbles}) AS ${letter}`).join(', ')}) AS numbers
         WHERE n < ${count}) AS codes) AS texts
     WHERE CHAR_LENGTH(text) = 1 AND HEX(text) = hex`,
    `asking for the characters of ${charset}`,
  );
  const table = new Uint32Array(count).fill(absent);
  for (const row of rows) {
    // Nothing is what the server makes of the beginning of a longer character.
    if (!row['code']) continue;
    const place = Number(row['n']);
    const point = Number.parseInt(row['code'], 16);
    table[place] = point === 0x3f && !(width === 1 && place === 0x3f) ? unmapped : point;
  }
  return table;
}
