// Random migrations and random changes together: columns are added, dropped, renamed, reordered and made others, keys changed, tables
// truncated, dropped, swapped and partitioned, partitions dropped, emptied and exchanged, rows that follow others by foreign keys, between
// transactions and beside a first snapshot; the process is killed on the way. Now and then all tables are compared with the server, and
// what subscribers of them have folded; the connector has never failed.
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Connection } from 'mysql2/promise';
import { openApp } from '../support/harness/app-process.js';
import { createDice, type Dice } from '../support/harness/dice.js';
import type { Figures } from '../support/harness/figures.js';
import { requestJson } from '../support/harness/http-client.js';
import { foldRows, type RowFolder } from '../support/harness/row-folder.js';
import { rowsAgree, servedRows, serverRows } from '../support/harness/served-rows.js';
import { createDatabase, withConnection, type SqlAddress } from '../support/servers/sql-client.js';

export interface MigrationsOptions {
  readonly seed: number;
  readonly server: SqlAddress;
  readonly steps: number;
  readonly kills: number;
  /** So often all of it, each time from another seed. */
  readonly runs: number;
  readonly tell?: (line: string) => void;
}

const plainTable = 'id INT PRIMARY KEY, a INT, b VARCHAR(20)';
/** How each is made, and made again when a migration has dropped it. */
const definitions: Readonly<Record<string, string>> = {
  alpha: `(${plainTable})`,
  beta: `(${plainTable})`,
  gamma: `(${plainTable})`,
  parts: `(${plainTable}) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (200), PARTITION p2 VALUES LESS THAN MAXVALUE)`,
  parents: `(${plainTable})`,
  children: `(${plainTable}, FOREIGN KEY (a) REFERENCES parents (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
};
const tables = Object.keys(definitions);
const types = [
  'INT',
  'BIGINT',
  'VARCHAR(20)',
  'VARCHAR(60) CHARACTER SET latin1',
  "ENUM('x','y','z')",
  'DECIMAL(10,2)',
  'SMALLINT UNSIGNED',
];

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isKey: boolean;
}

export async function runMigrations({ seed, runs, tell, ...options }: MigrationsOptions): Promise<Figures> {
  const sum = { statements: 0, refused: 0, looks: 0, beginnings: 0 };
  for (let run = 0; run < runs; run++) {
    try {
      const figures = await runOnce({ ...options, seed: seed + run });
      for (const name of ['statements', 'refused', 'looks', 'beginnings'] as const) sum[name] += figures[name];
    } catch (error) {
      throw new Error(`with seed=${seed + run} runs=1`, { cause: error });
    }
    tell?.(`run ${run + 1}: ${sum.statements} statements, ${sum.refused} refused by the server`);
  }
  return { runs, steps: options.steps, kills: options.kills, ...sum };
}

async function runOnce({ seed, server, steps, kills }: Omit<MigrationsOptions, 'runs' | 'tell'>) {
  const dice = createDice(seed);
  const database = await createDatabase(server, 'migrations');
  const app = await openApp({ args: ['--source', database.url] });
  const folders = tables.map((table) => ({ table, folder: foldRows(() => app.url, table) }));
  const look = (where: string) => agree({ server, database: database.name, url: app.url, folders }, where);
  let statements = 0;
  let refused = 0;
  let looks = 0;
  const use = <T>(work: (connection: Connection) => Promise<T>) =>
    withConnection(server, async (connection) => {
      await connection.query(`USE ${database.name}`);
      return work(connection);
    });
  try {
    await use(async (connection) => {
      for (const table of tables) {
        await connection.query(`CREATE TABLE ${table} ${definitions[table]!}`);
        const rows = Array.from({ length: 200 }, (_, id) => `(${id}, ${id}, 'text ${id}')`);
        await connection.query(`INSERT INTO ${table} VALUES ${rows.join(', ')}`);
      }
    });
    await app.start({ waitReady: false });
    const killEvery = Math.max(1, Math.floor(steps / (kills + 1)));
    for (let step = 1; step <= steps; step++) {
      await use(async (connection) => {
        for (const sql of await statementsOf(connection, dice)) {
          statements++;
          try {
            await connection.query(sql);
          } catch {
            // What the server refuses changes nothing, and the dice throw again.
            refused++;
            await connection.query('ROLLBACK');
          }
        }
      });
      if (step % killEvery === 0) {
        await sleep(dice.between(0, 300));
        await app.kill();
        await app.start({ waitReady: false });
      }
      if (dice.chance(0.1) || step === steps) {
        looks++;
        await look(`step ${step}`);
      }
    }
    const beginnings = folders.reduce((all, { folder }) => all + folder.beginnings, 0);
    return { statements, refused, looks, beginnings };
  } finally {
    for (const { folder } of folders) await folder.close();
    await app.close();
    await database.drop();
  }
}

interface Sides {
  readonly server: SqlAddress;
  readonly database: string;
  readonly url: string;
  readonly folders: readonly { readonly table: string; readonly folder: RowFolder }[];
}

async function agree({ server, database, url, folders }: Sides, where: string): Promise<void> {
  const end = Date.now() + 60_000;
  for (const { table, folder } of folders) {
    while (!(await rowsAgree(server, database, url, table).catch(() => false))) {
      if (Date.now() > end) {
        const [there, here] = [await serverRows(server, database, table), await servedRows(url, table)];
        const status = JSON.stringify(await requestJson(`${url}/connectors?expand=status`));
        throw new Error(`${where}: ${table} differs\n${differences(there, here)}\n${status}`);
      }
      await sleep(20);
    }
    const here = await servedRows(url, table);
    const held = typeof here === 'string' ? [] : here;
    while (!isDeepStrictEqual(folder.rows(), held)) {
      if (Date.now() > end)
        throw new Error(
          `${where}: a subscriber of ${table} has folded other rows\n${differences(held, folder.rows())}`,
        );
      await sleep(20);
    }
  }
  const status = await requestJson<object>(`${url}/connectors?expand=status`);
  if (JSON.stringify(status).includes('"FAILED"')) throw new Error(`${where}: ${JSON.stringify(status)}`);
}

function differences(there: readonly string[] | undefined, here: readonly string[] | string): string {
  if (there === undefined || typeof here === 'string')
    return `server: ${there?.length} rows; served: ${String(here).slice(0, 500)}`;
  const missing = there.filter((row) => !here.includes(row)).slice(0, 5);
  const extra = here.filter((row) => !there.includes(row)).slice(0, 5);
  return `missing: ${missing.join(' ')}\nextra: ${extra.join(' ')}`;
}

async function columnsOf(connection: Connection, table: string): Promise<readonly Column[]> {
  const [rows] = await connection.query(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, COLUMN_KEY AS k FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`,
  );
  return (rows as { name: string; type: string; k: string }[]).map(({ name, type, k }) => ({
    name,
    type,
    isKey: k === 'PRI',
  }));
}

function value(type: string, dice: Dice): string {
  if (dice.chance(0.1)) return 'NULL';
  if (/^enum/i.test(type)) return dice.pick(["'x'", "'y'", "'z'"]);
  if (/char/i.test(type)) return `'${dice.pick(['', 'a', 'B', 'ä', 'text'])}${dice.between(0, 99)}'`;
  if (/decimal/i.test(type)) return `${dice.between(-999, 999)}.${dice.between(10, 99)}`;
  return String(dice.between(0, 30_000));
}

/** One migration or one transaction. */
async function statementsOf(connection: Connection, dice: Dice): Promise<readonly string[]> {
  const table = dice.pick(tables);
  const columns = await columnsOf(connection, table);
  if (columns.length === 0) return [`CREATE TABLE ${table} ${definitions[table]!}`];
  if (table === 'parts' && dice.chance(0.4)) return partitioning(dice);
  return dice.chance(0.35) ? migration(table, columns, dice) : transaction(table, columns, dice);
}

function transaction(table: string, columns: readonly Column[], dice: Dice): readonly string[] {
  const changes = Array.from({ length: dice.between(1, 6) }, () => {
    const keys = columns.filter(({ isKey }) => isKey);
    const id = keys[0]
      ? `${keys[0].name} = ${/char|enum/i.test(keys[0].type) ? value(keys[0].type, dice) : dice.between(0, 300)}`
      : '1 = 0';
    const { name, type } = dice.pick(columns);
    const values = columns.map((column) =>
      column === keys[0] && !/char|enum/i.test(column.type) ? String(dice.between(0, 400)) : value(column.type, dice),
    );
    return dice.pick([
      `REPLACE INTO ${table} VALUES (${values.join(', ')})`,
      `UPDATE IGNORE ${table} SET ${name} = ${value(type, dice)} WHERE ${id}`,
      `DELETE FROM ${table} WHERE ${id}`,
      `UPDATE IGNORE ${table} SET ${name} = ${value(type, dice)} LIMIT 20`,
    ]);
  });
  return ['BEGIN', ...changes, dice.chance(0.9) ? 'COMMIT' : 'ROLLBACK'];
}

/** Refused once another migration has made the table another one. */
function partitioning(dice: Dice): readonly string[] {
  const part = dice.between(0, 2);
  const alter = (clause: string) => [`ALTER TABLE parts ${clause}`];
  return dice.pick([
    () => alter(`TRUNCATE PARTITION p${part}`),
    () => [
      'CREATE TABLE parts_x LIKE parts',
      'ALTER TABLE parts_x REMOVE PARTITIONING',
      `INSERT INTO parts_x SELECT * FROM parts PARTITION (p${part}) LIMIT 5`,
      ...alter(`EXCHANGE PARTITION p${part} WITH TABLE parts_x`),
      'DROP TABLE parts_x',
    ],
    () => [
      ...alter('DROP PARTITION p1'),
      ...alter(
        'REORGANIZE PARTITION p2 INTO (PARTITION p1 VALUES LESS THAN (200), PARTITION p2 VALUES LESS THAN MAXVALUE)',
      ),
    ],
    () => alter(`COALESCE PARTITION 1`),
    () => alter(`REBUILD PARTITION p${part}`),
    () => alter(`ANALYZE PARTITION p${part}`),
  ])();
}

function migration(table: string, columns: readonly Column[], dice: Dice): readonly string[] {
  const plain = columns.filter(({ isKey }) => !isKey);
  const fresh = `c${dice.between(0, 999)}`;
  const column = plain.length > 0 ? dice.pick(plain) : undefined;
  const place = dice.pick(['', ' FIRST', ` AFTER ${columns[0]!.name}`]);
  const alter = (clause: string) => [`ALTER TABLE ${table} ${clause}`];
  const kinds: (() => readonly string[])[] = [
    () => alter(`ADD COLUMN ${fresh} ${dice.pick(types)}${dice.pick(['', ' DEFAULT NULL'])}${place}`),
    () => alter(`ADD COLUMN ${fresh} INT NOT NULL DEFAULT ${dice.between(0, 9)}${place}`),
    () => (column ? alter(`DROP COLUMN ${column.name}`) : []),
    () => (column ? alter(`CHANGE ${column.name} ${fresh} ${column.type}${place}`) : []),
    () => (column ? alter(`MODIFY ${column.name} ${dice.pick(types)}${place}`) : []),
    () => (column ? alter(`MODIFY ${column.name} ${column.type}${place}`) : []),
    () => alter(`ADD INDEX i${fresh} (${columns[0]!.name})`),
    () => alter('FORCE'),
    () => alter(`DROP PRIMARY KEY, ADD PRIMARY KEY (${dice.pick(columns).name}, ${columns[0]!.name})`),
    () => [`TRUNCATE ${table}`],
    () => [`DROP TABLE ${table}`],
    () => [
      `CREATE TABLE ${table}_new LIKE ${table}`,
      `ALTER TABLE ${table}_new ADD COLUMN ${fresh} INT DEFAULT 5`,
      `INSERT INTO ${table}_new (${columns.map(({ name }) => name).join(', ')}) SELECT * FROM ${table}`,
      `RENAME TABLE ${table} TO ${table}_old, ${table}_new TO ${table}`,
      `DROP TABLE ${table}_old`,
    ],
    () => [`RENAME TABLE ${table} TO ${table}_x`, `RENAME TABLE ${table}_x TO ${table}`],
    () => {
      const other = dice.pick(tables);
      return other === table ? [] : [`RENAME TABLE ${table} TO swap_x, ${other} TO ${table}, swap_x TO ${other}`];
    },
    () => alter(`PARTITION BY HASH (${columns.find(({ isKey }) => isKey)?.name ?? 'id'}) PARTITIONS 3`),
    () => alter('REMOVE PARTITIONING'),
    () => [
      // Nobody can know of rows of other tables that would follow.
      'SET SESSION sql_log_bin = 0, foreign_key_checks = 0',
      `DELETE FROM ${table} LIMIT 3`,
      'SET SESSION sql_log_bin = 1, foreign_key_checks = 1',
      ...alter(`ADD COLUMN ${fresh} INT DEFAULT 1`),
    ],
  ];
  return dice.pick(kinds)();
}
