// Partial updates of JSON documents are the documents that the server has, whatever was changed in them, in one column or in several.
import type { Connection } from 'mysql2/promise';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDice } from '../support/harness/dice.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, withConnection } from '../support/servers/sql-client.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { foldAppends, runSource } from '../support/source-run.js';

const servers = await sharedServers('mysql');

describe.skipIf(servers.missing)('partial updates of JSON', () => {
  it('leave the documents that the server has', async () => {
    const database = await createDatabase(servers.mysql, 'json');
    let stop = async () => {};
    try {
      await withConnection(servers.mysql, async (connection) => {
        const query = (sql: string) => connection.query(sql);
        await query(`USE ${database.name}`);
        await query("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'");
        await query('CREATE TABLE t (id INT PRIMARY KEY, a JSON, n INT, b JSON, c JSON)');
        for (const [id, document] of documents.entries())
          await query(`INSERT INTO t VALUES (${id}, '${document}', 0, '${document}', NULL)`);
        const run = runSource(createMysqlSource(mysqlConfig(servers.mysql, database.name), silentLogger), null);
        stop = () => run.stop();
        await run.until((appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'));
        const [[begin]] = (await connection.query('SHOW BINARY LOG STATUS')) as unknown as [
          [{ File: string; Position: number }],
        ];
        await change(connection);
        await query('INSERT INTO t (id) VALUES (1000)');
        await run.until(({ length }) => length > 0 && foldAppends(run.appends).get('t')!.has('{"id":1000}'));
        const [rows] = await connection.query('SELECT id, CAST(a AS CHAR) AS a, n, CAST(b AS CHAR) AS b FROM t');
        const served = [...foldAppends(run.appends).get('t')!.values()].map((row) => JSON.parse(row) as object);
        expect(served).toEqual((rows as object[]).map((row) => ({ ...row, c: null })));
        const [logged] = await connection.query(`SHOW BINLOG EVENTS IN '${begin.File}' FROM ${begin.Position}`);
        const partial = (logged as { Event_type: string }[]).filter(({ Event_type }) => /partial/i.test(Event_type));
        expect(partial.length).toBeGreaterThan(50);
      });
    } finally {
      await stop();
      await database.drop();
    }
  });
});

const long = 'x'.repeat(400);
const documents = [
  `{"name": "${long}", "n": 1, "list": [1, 2.5, "three", null, true, {"deep": [[], {}, -70000, 5000000000]}], "o": {"a b": 1, "ä": "ö"}}`,
  `[${Array.from({ length: 300 }, (_, i) => `{"i": ${i}, "pad": "${long}"}`).join(', ')}]`,
  `{"name": "${long}", "list": [], "o": {}}`,
];
const paths = [
  '$.n',
  '$.list',
  '$.list[0]',
  '$.list[2]',
  '$.list[5].deep[1]',
  '$.o."a b"',
  '$.o."ä"',
  '$.o.new',
  '$.name',
  '$[3].i',
  '$[299].pad',
  '$[7]',
  '$."q\\\\"uoted"',
];
const values = [
  '1',
  "'short'",
  'CAST(\'{"z": 1, "yy": [1, 2]}\' AS JSON)',
  "CAST('[]' AS JSON)",
  'NULL',
  '123456',
  '9e99',
  'CAST(1.50 AS DECIMAL(5,2))',
  "CAST('2024-05-06 07:08:09.5' AS DATETIME(3))",
  'true',
  `'${long}'`,
];

/** One or two columns at a time, by every function that the server logs in part. */
async function change(connection: Connection): Promise<void> {
  const dice = createDice(20_240_817);
  const pick = <T>(of: readonly T[]): T => dice.pick(of);
  const set = (column: string): string => {
    switch (dice.between(0, 3)) {
      case 0:
        return `${column} = JSON_REMOVE(${column}, '${pick(paths)}')`;
      case 1:
        return `${column} = JSON_REPLACE(${column}, '${pick(paths)}', ${pick(values)})`;
      case 2:
        return `${column} = JSON_SET(JSON_REMOVE(${column}, '${pick(paths)}'), '${pick(paths)}', ${pick(values)})`;
      default:
        return `${column} = JSON_SET(${column}, '${pick(paths)}', ${pick(values)}, '${pick(paths)}', ${pick(values)})`;
    }
  };
  for (let i = 0; i < 250; i++) {
    const sets = [set('a'), ...(dice.chance(0.5) ? [set('b')] : []), `n = ${i}`];
    await connection.query(`UPDATE t SET ${sets.join(', ')} WHERE id <= ${dice.between(0, 2)}`);
  }
}
