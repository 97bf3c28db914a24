// Statements that change columns, keys and rows without one row event: capture goes on through every one of them, what is served is what
// the server has, and so it is after a kill.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { createDice } from '../support/harness/dice.js';
import { requestJson } from '../support/harness/http-client.js';
import { rowsAgree, servedRows, serverRows } from '../support/harness/served-rows.js';
import { waitFor } from '../support/harness/wait-for.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { createDatabase, runStatements, type TestDatabase } from '../support/servers/sql-client.js';

const servers = await sharedServers('mysql', 'mariadb');

interface Case {
  readonly title: string;
  readonly setup: readonly string[];
  /** What has no event, and what comes behind it. */
  readonly statements: readonly string[];
  readonly products?: readonly string[];
  /**
   * Whether the table has to be read again, or only the keys that are held; undefined: that is not what it is about. Of several statements
   * together: where each is seen before the next one is there, its columns may be carried over instead.
   */
  readonly isRead?: boolean | 'keys';
}

const ranges = 'PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN MAXVALUE)';
const table = ["CREATE TABLE live (id INT PRIMARY KEY, a INT, b VARCHAR(20), e ENUM('a','b'))"];
const rows = ["INSERT INTO live VALUES (1, 1, 'x', 'a'), (2, 2, 'y', 'b'), (3, NULL, NULL, NULL)"];
const filled = [...table, ...rows];
const alter = (clause: string, ...behind: string[]): Case => ({
  title: clause,
  setup: filled,
  statements: [`ALTER TABLE live ${clause}`, ...behind],
});
const carried = (clause: string, ...behind: string[]): Case => ({ ...alter(clause, ...behind), isRead: false });
const readAgain = (...clauses: string[]): Case => ({
  title: clauses.join('; '),
  setup: filled,
  statements: clauses.map((clause) => `ALTER TABLE live ${clause}`),
  isRead: true,
});
const cases: readonly Case[] = [
  carried('ADD COLUMN c INT'),
  carried('ADD c VARCHAR(9) NULL DEFAULT NULL COMMENT "x" FIRST', "INSERT INTO live VALUES ('c', 4, 4, 'z', 'a')"),
  carried('DROP b'),
  carried('DROP COLUMN b, ADD d DECIMAL(9,2) AFTER id, ADD INDEX (a)', 'UPDATE live SET d = 2.25 WHERE id = 2'),
  carried(
    'ADD COLUMN c INT',
    'INSERT INTO live VALUES (5, 5, "v", "a", 5)',
    'ALTER TABLE live MODIFY a BIGINT FIRST, CHANGE b b VARCHAR(200)',
  ),
  {
    ...carried('ADD COLUMN c INT', 'ALTER TABLE live DROP COLUMN b, ADD COLUMN d INT'),
    title: 'two statements that change columns',
  },
  readAgain('DROP COLUMN a, ADD COLUMN a INT'),
  readAgain('DROP COLUMN a', 'ADD COLUMN a INT'),
  readAgain('ADD COLUMN c INT', 'DROP COLUMN c', 'ADD COLUMN c INT'),
  readAgain('ADD COLUMN c INT', 'MODIFY c INT DEFAULT 7'),
  readAgain('ADD COLUMN g INT AS (a + 1) STORED, ADD COLUMN h INT'),
  readAgain('MODIFY b VARCHAR(5)'),
  alter('ADD COLUMN c INT DEFAULT 3', "INSERT INTO live VALUES (4, 4, 'z', 'a', 4)"),
  alter('ADD COLUMN c INT NOT NULL DEFAULT 3 FIRST', "INSERT INTO live VALUES (7, 4, 4, 'z', 'a')"),
  alter('DROP COLUMN b', "INSERT INTO live VALUES (4, 4, 'a')"),
  alter('DROP COLUMN a, ADD COLUMN a VARCHAR(10) DEFAULT "v"', "INSERT INTO live VALUES (4, 'z', 'a', 'w')"),
  alter('CHANGE a renamed INT', "INSERT INTO live VALUES (4, 4, 'z', 'a')"),
  alter('MODIFY a BIGINT', "INSERT INTO live VALUES (4, 5000000000, 'z', 'a')"),
  alter('MODIFY a VARCHAR(30)', "INSERT INTO live VALUES (4, 'four', 'z', 'a')"),
  alter("MODIFY e ENUM('a','b','c')", "INSERT INTO live VALUES (4, 4, 'z', 'c')"),
  alter("MODIFY e ENUM('b','a')", "INSERT INTO live VALUES (4, 4, 'z', 'a')"),
  alter('MODIFY b VARCHAR(20) CHARACTER SET latin1', "INSERT INTO live VALUES (4, 4, 'é', 'a')"),
  alter('MODIFY e ENUM("a","b") FIRST', "INSERT INTO live VALUES ('b', 4, 4, 'z')"),
  alter('MODIFY id BIGINT', "INSERT INTO live VALUES (5000000000, 4, 'z', 'a')"),
  alter('CHANGE id ident INT', "INSERT INTO live VALUES (4, 4, 'z', 'a')", "UPDATE live SET b = 'u' WHERE ident = 1"),
  {
    title: 'another primary key',
    setup: [
      'CREATE TABLE live (id INT NOT NULL, v INT NOT NULL, PRIMARY KEY (id))',
      'INSERT INTO live VALUES (1, 1), (2, 2)',
    ],
    statements: ['ALTER TABLE live DROP PRIMARY KEY, ADD PRIMARY KEY (id, v)', 'INSERT INTO live VALUES (1, 7)'],
  },
  {
    title: 'a swap of two tables',
    setup: filled,
    statements: [
      'CREATE TABLE out_new (id INT PRIMARY KEY, b VARCHAR(9), n INT DEFAULT 5)',
      "INSERT INTO out_new (id, b) VALUES (2, 'new'), (9, 'nine')",
      'RENAME TABLE live TO out_old, out_new TO live',
      "INSERT INTO live (id, b) VALUES (10, 'ten')",
      'DROP TABLE out_old',
    ],
  },
  {
    title: 'a swap of two captured tables',
    setup: filled,
    statements: [
      'CREATE TABLE other2 (id INT PRIMARY KEY, n INT)',
      'INSERT INTO other2 VALUES (2, 2)',
      'RENAME TABLE live TO gone, other2 TO live',
      'INSERT INTO live VALUES (3, 3)',
    ],
  },
  {
    title: 'a table from elsewhere',
    setup: ['CREATE TABLE out1 (id INT PRIMARY KEY)', 'INSERT INTO out1 VALUES (1)'],
    statements: ['ALTER TABLE out1 RENAME TO live', 'INSERT INTO live VALUES (3)'],
  },
  {
    title: 'EXCHANGE PARTITION',
    setup: [
      `CREATE TABLE out1 (id INT PRIMARY KEY) ${ranges}`,
      'CREATE TABLE live (id INT PRIMARY KEY)',
      'INSERT INTO live VALUES (1)',
      'INSERT INTO out1 VALUES (50)',
    ],
    statements: ['ALTER TABLE out1 EXCHANGE PARTITION p0 WITH TABLE live', 'INSERT INTO live VALUES (3)'],
  },
  {
    title: 'DROP and TRUNCATE PARTITION',
    setup: [
      `CREATE TABLE live (id INT PRIMARY KEY, v INT) ${ranges}`,
      'INSERT INTO live VALUES (1, 1), (50, 2), (200, 3)',
    ],
    statements: [
      'ALTER TABLE live TRUNCATE PARTITION p0',
      'INSERT INTO live VALUES (7, 7)',
      'ALTER TABLE live DROP PARTITION p1',
    ],
    isRead: 'keys',
  },
  {
    title: 'a key that comes',
    setup: ['CREATE TABLE live (id INT, v INT)', 'INSERT INTO live VALUES (1, 1)'],
    statements: ['ALTER TABLE live ADD PRIMARY KEY (id)', 'INSERT INTO live VALUES (2, 2)'],
  },
  {
    title: 'a table that is dropped, and made again',
    setup: filled,
    statements: ['DROP TABLE live', 'CREATE TABLE live (k VARCHAR(9) PRIMARY KEY)', "INSERT INTO live VALUES ('one')"],
  },
  {
    title: 'CREATE TABLE AS SELECT',
    setup: ['CREATE TABLE out1 (id INT PRIMARY KEY, v INT)', 'INSERT INTO out1 VALUES (1, 1), (2, 2)'],
    statements: ['CREATE TABLE live (PRIMARY KEY (id)) AS SELECT * FROM out1', 'INSERT INTO live VALUES (3, 3)'],
  },
  {
    title: 'a scratch table that comes and goes',
    setup: filled,
    statements: ['CREATE TABLE scratch (id INT PRIMARY KEY)', 'INSERT INTO scratch VALUES (1)', 'DROP TABLE scratch'],
  },
  {
    title: 'what was hidden from the binlog',
    setup: filled,
    statements: [
      'SET SESSION sql_log_bin = 0',
      'ALTER TABLE live ADD COLUMN hidden INT DEFAULT 9',
      'CREATE TABLE loaded (id INT PRIMARY KEY)',
      'INSERT INTO loaded VALUES (1), (2)',
      'SET SESSION sql_log_bin = 1',
      'INSERT INTO loaded VALUES (3)',
      "INSERT INTO live VALUES (4, 4, 'z', 'a', 4)",
    ],
  },
  {
    title: 'many statements behind each other',
    setup: filled,
    statements: [
      'ALTER TABLE live ADD COLUMN c INT DEFAULT 3',
      "INSERT INTO live VALUES (4, 4, 'z', 'a', 4)",
      'ALTER TABLE live DROP COLUMN a',
      "INSERT INTO live VALUES (5, 'z', 'a', 4)",
      'ALTER TABLE live MODIFY c VARCHAR(9), ADD COLUMN d DECIMAL(9,2) DEFAULT 1.5',
      "INSERT INTO live VALUES (6, 'z', 'a', 'text', 2.25)",
      'TRUNCATE live',
      "INSERT INTO live VALUES (7, 'z', 'a', 'text', 2.25)",
      'ALTER TABLE live CHANGE c e2 VARCHAR(9)',
    ],
  },
];

/** Names of the cases, which share one database, kept apart. */
const own = (statements: readonly string[], place: number): string[] =>
  statements.map((sql) => sql.replaceAll(/\b(live|out1|out_new|out_old|other2|gone|scratch|loaded)\b/g, `$1_${place}`));

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('schema changes on %s', (product) => {
  const mine = cases.filter(({ products }) => products?.includes(product) ?? true);
  let database: TestDatabase;
  let app: App;

  beforeAll(async () => {
    database = await createDatabase(servers[product], 'schema');
    await query('CREATE TABLE other (id INT PRIMARY KEY)', 'INSERT INTO other VALUES (0)');
    for (const [place, { setup }] of mine.entries()) await query(...own(setup, place));
    const excluded = encodeURIComponent(`${database.name}\\.out.*`);
    app = await openApp({ args: ['--source', `${database.url}?table.exclude.list=${excluded}`] });
    await app.start();
    await waitFor('the first rows', () => agrees('other'), { timeoutMs: 60_000 });
  }, 90_000);
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const query = (...statements: string[]) => runStatements(servers[product], database.name, statements);

  /** As the log has it. */
  const readingsOf = (name: string): string =>
    app
      .log()
      .split('\n')
      .filter((line) => line.includes('a table is read again') && line.includes(`.${name}"`))
      .join('\n');
  const wasRead = (name: string): boolean | 'keys' => {
    const readings = readingsOf(name)
      .split('\n')
      .filter((line) => line !== '');
    if (readings.length === 0) return false;
    return readings.every((line) => line.includes('"where":"FALSE"')) ? 'keys' : true;
  };
  const isCarried = (name: string): boolean =>
    app
      .log()
      .split('\n')
      .some((line) => line.includes('rows are carried over') && line.includes(`.${name}"`));
  const agrees = (name: string) => rowsAgree(servers[product], database.name, app.url, name);
  async function agreed(place: number): Promise<void> {
    const names = ['live', 'gone', 'scratch', 'loaded'].map((name) => `${name}_${place}`);
    const end = Date.now() + 20_000;
    for (const name of [...names, 'other']) {
      while (!(await agrees(name))) {
        if (Date.now() > end) {
          const status = await requestJson(`${app.url}/connectors?expand=status`);
          const there = {
            name,
            server: await serverRows(servers[product], database.name, name),
            served: await servedRows(app.url, name),
            status,
          };
          expect.fail(JSON.stringify(there, undefined, 1));
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  it.each(mine.map((each, place) => ({ ...each, place })))(
    '$title',
    { timeout: 40_000 },
    async ({ statements, place, isRead }) => {
      await query(...own(statements, place), `INSERT INTO other VALUES (${place + 1})`);
      await agreed(place);
      // Lines of the capture's thread may be written behind the rows that it has handed over.
      if (isRead !== undefined && isRead !== false)
        await waitFor(
          'the line of the reading',
          async () => wasRead(`live_${place}`) !== false || isCarried(`live_${place}`),
        );
      const isOneByOne = isRead === true && statements.length > 1 && isCarried(`live_${place}`);
      if (isRead !== undefined && !isOneByOne)
        expect(wasRead(`live_${place}`), readingsOf(`live_${place}`)).toBe(isRead);
    },
  );

  it('tables whose rows are carried over are as those that are read again', { timeout: 60_000 }, async () => {
    const dice = createDice(product === 'mysql' ? 8 : 9);
    const columns = ['a INT', 'b VARCHAR(9)', 'c DECIMAL(9,2)', 'd TEXT'];
    const wider: Record<string, string> = { a: 'BIGINT', b: 'VARCHAR(40)', c: 'DECIMAL(12,2)', d: 'LONGTEXT' };
    const there = new Set(['a', 'b']);
    const both = (...statements: string[]): Promise<void> =>
      query(...statements.flatMap((sql) => [sql.replace('TWIN', 'carried_1'), sql.replace('TWIN', 'read_1')]));
    await both(
      'CREATE TABLE TWIN (id INT PRIMARY KEY, a INT, b VARCHAR(9))',
      ...[1, 2, 3, 4].map((id) => `INSERT INTO TWIN VALUES (${id}, ${id}, 'b${id}')`),
    );
    await Promise.all(['carried_1', 'read_1'].map((name) => waitFor(name, () => agrees(name), { timeoutMs: 20_000 })));
    for (let step = 0; step < 25; step++) {
      const column = dice.pick(columns);
      const name = column.slice(0, 1);
      if (dice.chance(0.4)) {
        const set = [...there].map((each) => `${each} = ${step}`).join(', ') || 'id = id';
        await both(`UPDATE TWIN SET ${set} WHERE id = ${dice.between(1, 4)}`);
        continue;
      }
      const isThere = there.has(name);
      const clause = !isThere ? `ADD ${column}` : dice.chance(0.5) ? `DROP ${name}` : `MODIFY ${name} ${wider[name]}`;
      if (!isThere) there.add(name);
      else if (clause.startsWith('DROP')) there.delete(name);
      // An order of rows is what no proof is tried of.
      await query(`ALTER TABLE carried_1 ${clause}`, `ALTER TABLE read_1 ${clause}, ORDER BY id`);
    }
    await query(`INSERT INTO other VALUES (2000)`);
    for (const name of ['carried_1', 'read_1']) await waitFor(name, () => agrees(name), { timeoutMs: 20_000 });
    const [carried, read] = await Promise.all(['carried_1', 'read_1'].map((name) => servedRows(app.url, name)));
    expect(carried).toEqual(read);
    expect(app.log()).toContain('rows are carried over');
  });

  it('all of it is so after a kill', { timeout: 60_000 }, async () => {
    await app.kill();
    await query('INSERT INTO other VALUES (1000)');
    await app.start();
    for (const place of mine.keys()) await agreed(place);
  });
});
