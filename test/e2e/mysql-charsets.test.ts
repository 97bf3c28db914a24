// Law: text in every character set that the server has is served as the server itself converts it, from snapshot and from binlog:
// characters of each kind, bytes at random, keys, and the labels of ENUM and SET. The oracle is the server's CONVERT.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, type TestDatabase } from '../support/servers/sql-client.js';
import {
  askRows,
  bytes,
  charsetsOf,
  compareTexts,
  servedWithCopies,
  type Place,
} from '../support/source/every-text.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('character sets of %s', (product) => {
  let database: TestDatabase;
  let place: Place;

  beforeAll(async () => {
    database = await createDatabase(servers[product], 'charsets');
    place = { server: servers[product], database: database.name };
  });
  afterAll(() => database.drop());

  it('are served as the server converts them, characters and random bytes', async () => {
    const { differences, characters, charsets } = await compareTexts(place, { step: 7, seed: 20240507 });
    expect(differences).toEqual([]);
    expect(charsets).toBeGreaterThan(38);
    expect(characters).toBeGreaterThan(50_000);
  });

  it('are served in keys and labels', async () => {
    const charsets = await charsetsOf(place);
    for (const { name: charset } of charsets) {
      // Three characters that the set has beside ASCII, where it has some.
      const sample = await askRows(
        place,
        `
        SELECT DISTINCT HEX(text) AS hex FROM (
          SELECT CONVERT(CONVERT(CHAR(n * 151 + 192 USING utf32) USING utf8mb4) USING ${charset}) AS text FROM ${bytes}) texts
        WHERE HEX(CONVERT(text USING utf8mb4)) <> '3F' AND CHAR_LENGTH(text) = 1 ORDER BY LENGTH(text) DESC, hex LIMIT 3`,
      );
      const words = sample.map(({ hex }) => `_${charset} X'${hex}'`);
      while (words.length < 3) words.push(`CONVERT('${'xyz'[words.length]}' USING ${charset})`);
      const [labels] = await askRows(
        place,
        `SELECT ${words.map((word, i) => `CONVERT(${word} USING utf8mb4) AS w${i}`).join(', ')}`,
      );
      const list = [labels!['w0'], labels!['w1'], labels!['w2'], 'plain'].map((label) => `'${label as string}'`);
      await askRows(
        place,
        'SET sql_log_bin = 0',
        `CREATE TABLE k_${charset} (k VARCHAR(20) CHARACTER SET ${charset} COLLATE ${charset}_bin, n INT,
          e ENUM(${list.join(', ')}) CHARACTER SET ${charset} COLLATE ${charset}_bin, s SET(${list.join(', ')}) CHARACTER SET ${charset} COLLATE ${charset}_bin,
          PRIMARY KEY (k, e))`,
        `INSERT INTO k_${charset} VALUES ${words.map((word, i) => `(${word}, ${i}, ${i + 1}, ${i * 3 + 1})`).join(', ')}`,
        `INSERT INTO k_${charset} VALUES ('plain', 8, 4, 15), ('', 9, 1, 0)`,
      );
    }
    const tables = charsets.map(({ name }) => `k_${name}`);
    const served = await servedWithCopies(place, tables, { 'snapshot.fetch.size': '3' });
    for (const table of tables.flatMap((name) => [name, `${name}_copy`])) {
      const oracle = await askRows(
        place,
        `
        SELECT CONVERT(k USING utf8mb4) AS k, n, CONVERT(e USING utf8mb4) AS e, CONVERT(s USING utf8mb4) AS s FROM ${table}`,
      );
      const expected = new Map(
        oracle.map(({ k, n, e, s }) => [JSON.stringify({ k, e }), JSON.stringify({ k, n, e, s })]),
      );
      expect(expected.size).toBe(5);
      expect([table, served.get(table)]).toEqual([table, expected]);
    }
  });
});
