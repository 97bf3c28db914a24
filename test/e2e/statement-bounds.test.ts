// Statements and values that would cost everything, sent to the program as it is: each gets its answer, point reads go on meanwhile, and
// what such a statement has left behind does not come back with the next start.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson, type Answer } from '../support/harness/http-client.js';
import { waitForTables } from '../support/harness/progress.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import { waitFor } from '../support/harness/wait-for.js';

const folder = mkdtempSync(join(tmpdir(), 'writethrough-statement-bounds-'));
const source = openSqliteSource(join(folder, 'shop.db'));
const digits = '1'.repeat(250_000);
let app: App;

beforeAll(async () => {
  await source.execute(
    `CREATE TABLE items (id BIGINT PRIMARY KEY, title TEXT);
     INSERT INTO items VALUES (1, 'two'), (2, '${digits}'), (3, '1.${digits}'), (4, '${'e'.repeat(100)}')`,
  );
  app = await openApp({ args: ['--source', source.url], env: { NODE_OPTIONS: '--max-old-space-size=256' } });
  await app.start();
  await waitForTables(app.url, [{ name: 'items' }]);
});

afterAll(async () => {
  await app.close();
  await source.drop();
  rmSync(folder, { recursive: true, force: true });
});

const ksql = (sql: string): Promise<Answer> => request(`${app.url}/ksql`, { body: { ksql: sql } });
const query = (sql: string): Promise<Answer> => request(`${app.url}/query-stream`, { body: { sql } });

/** Reads a row again and again while something else is asked; the longest wait, ms. */
async function longestWait(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let busy = true;
  const done = work().finally(() => (busy = false));
  while (busy) {
    const started = performance.now();
    expect((await request(`${app.url}/v1/tables/items/rows/1`)).text).toBe('{"id":"1","title":"two"}');
    longest = Math.max(longest, performance.now() - started);
  }
  await done;
  return longest;
}

const list = (n: number, item: (i: number) => string) => Array.from({ length: n }, (_, i) => item(i)).join();
const doubled = `${'REPLACE('.repeat(28)}title${", 'e', 'ee')".repeat(28)}`;

const refused: readonly (readonly [name: string, code: string, send: () => Promise<Answer>])[] = [
  ['a megabyte of semicolons', 'statement-too-large', () => ksql(`SHOW TABLES${';'.repeat(1_000_000)}`)],
  ['as many semicolons as the text may have', 'statement-too-large', () => ksql(`SHOW TABLES${';'.repeat(200_000)}`)],
  ['50,000 columns', 'statement-too-large', () => query(`SELECT ${list(50_000, (i) => `id AS c${i}`)} FROM items;`)],
  [
    '2,000 columns',
    'statement-too-large',
    () => query(`SELECT ${list(2_000, (i) => `id AS c${i}`)} FROM items EMIT CHANGES;`),
  ],
  ['deep parentheses', 'statement-too-large', () => query(`SELECT ${'('.repeat(40_000)}id FROM items EMIT CHANGES;`)],
  [
    'a long LIKE',
    'statement-too-large',
    () => query(`SELECT id FROM items WHERE title LIKE '%${'a_'.repeat(350_000)}b%' EMIT CHANGES;`),
  ],
  [
    'partitions',
    'bad-topic-setting',
    () => ksql("CREATE TABLE wide (id INT PRIMARY KEY) WITH (topic='wide', partitions=1000000000);"),
  ],
  ['a precision', 'invalid-statement', () => query('SELECT CAST(title AS DECIMAL(1000000000, 5)) FROM items;')],
  [
    'partitions of a connector',
    'bad-connector-config',
    () =>
      request(`${app.url}/connectors`, {
        body: {
          name: 'wide',
          config: {
            'connector.class': 'SqliteCdcSource',
            'database.file': join(folder, 'shop.db'),
            'topic.partitions': '1000000000',
          },
        },
      }),
  ],
];

describe('a statement that is too large', () => {
  it.each(refused)('%s: %s', async (_name, code, send) => {
    let answer: Answer | undefined;
    const waited = await longestWait(async () => (answer = await send()));
    expect(`${answer!.status} ${answer!.text.slice(0, 300)}`).toMatch(/^4\d\d /);
    expect(answer!.headers['writethrough-error-code'] ?? (JSON.parse(answer!.text) as { code?: string }).code).toBe(
      code,
    );
    expect(waited).toBeLessThan(1_000);
  });
});

it('a value that cannot be computed is NULL, for pulls, pushes and queries that run on, also after the next start', async () => {
  const number = 'CAST(title AS DECIMAL(10, 2))';
  const waited = await longestWait(async () => {
    const select = `SELECT id, ${number} AS n, LEN(${doubled}) AS x, ROUND(CAST(id AS DOUBLE), -300000) AS r FROM items`;
    const rows = (text: string) => text.trim().split('\n').slice(1).toSorted();
    const wanted = ['[1,null,3,0]', '[2,null,250000,0]', '[3,1.11,250002,0]', '[4,null,null,0]'];
    const shown = (text: string) => rows(text).map((row) => row.replace(/\.0\b/g, ''));
    expect(shown((await query(`${select};`)).text)).toEqual(wanted);
    expect(shown((await query(`${select} EMIT CHANGES LIMIT 4;`)).text)).toEqual(wanted);
    const likes = `SELECT id FROM items WHERE title LIKE '%${'1_'.repeat(60_000)}2%' EMIT CHANGES LIMIT 1;`;
    const pushes = [likes, likes, likes].map((sql) => query(sql));
    expect((await ksql(`CREATE TABLE numbers AS SELECT id, ${number} AS n, ${doubled} AS x FROM items;`)).status).toBe(
      200,
    );
    // So that they come to an end.
    await source.execute(`INSERT INTO items VALUES (5, '${'1'.repeat(120_000)}2')`);
    await Promise.all(pushes);
  });
  expect(waited).toBeLessThan(1_000);
  const numbers = async () =>
    requestJson<{ n: string | null; x: string | null }>(`${app.url}/v1/tables/numbers/rows/4`);
  await waitFor('the table', async () => (await numbers()).x === null);
  await app.stop();
  await app.start();
  expect(await numbers()).toMatchObject({ n: null, x: null });
  await source.execute("INSERT INTO items VALUES (6, '6.25')");
  await waitFor('a new row', async () => {
    const { status, text } = await request(`${app.url}/v1/tables/numbers/rows/6`);
    return status === 200 && text.includes('6.25');
  });
});
