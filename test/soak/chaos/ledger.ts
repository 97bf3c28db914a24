// What the chaos runs write: tables that are linked by foreign keys which cascade in both ways, one whose keys change, one for XA
// transactions, and marks. Random transactions over several of them, by sessions that live through the end of their server.
import { setTimeout as sleep } from 'node:timers/promises';
import mysql, { type Connection } from 'mysql2/promise';
import { bigint, decimal, int, region, text, type LoadColumn } from '../../support/harness/columns.js';
import type { Dice } from '../../support/harness/dice.js';
import type { LoadTable } from '../../support/harness/load-tables.js';
import type { SqlAddress, SqlProduct } from '../../support/servers/sql-client.js';

export const ledgerDatabase = 'ledger';
/** Rows of `prepared` belong to XA transactions alone, and `marks` to the run. */
export interface LedgerTables {
  readonly accounts: LoadTable;
  readonly orders: LoadTable;
  readonly order_lines: LoadTable;
  readonly tags: LoadTable;
  readonly prepared: LoadTable;
  readonly marks: LoadTable;
}

const column = (name: string, kind: LoadColumn['kind'], nullable = false): LoadColumn => ({ name, kind, nullable });

export function ledgerTables(product: SqlProduct): LedgerTables {
  const number = int(product);
  const note = text({ mysql: 'VARCHAR(400) CHARACTER SET utf8mb4', sqlite: '' }, 12);
  return {
    accounts: {
      name: 'accounts',
      columns: [column('id', number), column('owner', note), column('balance', bigint)],
      key: [0],
    },
    orders: {
      name: 'orders',
      columns: [
        column('id', number),
        column('account', number),
        column('amount', decimal(12, 2)),
        column('note', note, true),
      ],
      key: [0],
    },
    order_lines: {
      name: 'order_lines',
      columns: [column('order_id', number), column('line', number), column('pieces', number, true)],
      key: [0, 1],
    },
    tags: { name: 'tags', columns: [column('name', region), column('n', number)], key: [0] },
    prepared: { name: 'prepared', columns: [column('id', number), column('n', number)], key: [0] },
    marks: {
      name: 'marks',
      columns: [column('writer', bigint), column('tx', bigint), column('committed_us', bigint)],
      key: [0],
    },
  };
}

const accounts = 300;
const ordersMax = 2000;

/** The database, its tables, and their first rows. */
export function ledgerSql(): readonly string[] {
  const numbers = (count: number) =>
    `WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${count}) SELECT`;
  const follows = 'ON DELETE CASCADE ON UPDATE CASCADE';
  const character = 'VARCHAR(400) CHARACTER SET utf8mb4';
  return [
    `CREATE DATABASE ${ledgerDatabase}`,
    `USE ${ledgerDatabase}`,
    `CREATE TABLE accounts (id INT NOT NULL PRIMARY KEY, owner ${character} NOT NULL, balance BIGINT NOT NULL)`,
    `CREATE TABLE orders (id INT NOT NULL PRIMARY KEY, account INT NOT NULL, amount DECIMAL(12,2) NOT NULL, note ${character},
      FOREIGN KEY (account) REFERENCES accounts (id) ${follows})`,
    `CREATE TABLE order_lines (order_id INT NOT NULL, line INT NOT NULL, pieces INT, PRIMARY KEY (order_id, line),
      FOREIGN KEY (order_id) REFERENCES orders (id) ${follows})`,
    'CREATE TABLE tags (name VARCHAR(40) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY, n INT NOT NULL)',
    'CREATE TABLE prepared (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)',
    'CREATE TABLE marks (writer BIGINT NOT NULL PRIMARY KEY, tx BIGINT NOT NULL, committed_us BIGINT NOT NULL)',
    `INSERT INTO accounts ${numbers(accounts)} i, CONCAT('owner ', i), 1000 FROM s`,
    `INSERT INTO orders ${numbers(900)} i, 1 + i % ${accounts}, i / 4, CONCAT('order ', i, ' ä') FROM s`,
    `INSERT INTO order_lines ${numbers(900)} i, 1, i % 5 FROM s`,
  ];
}

export class LedgerWriter {
  readonly #address: () => SqlAddress;
  readonly #dice: Dice;
  readonly #sessions: Promise<void>[] = [];
  #wanted = false;
  transactions = 0;

  /** `address`: asked at each connection. */
  constructor(address: () => SqlAddress, dice: Dice) {
    this.#address = address;
    this.#dice = dice;
  }

  start(sessions = 2): void {
    this.#wanted = true;
    for (let i = 0; i < sessions; i++) this.#sessions.push(this.#run());
  }

  /** Resolves when nothing is being written any more. */
  async pause(): Promise<void> {
    this.#wanted = false;
    await Promise.all(this.#sessions.splice(0));
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      let connection: Connection | undefined;
      try {
        const { host, port, user, password } = this.#address();
        connection = await mysql.createConnection({ host, port, user, password, database: ledgerDatabase });
        connection.on('error', () => undefined); // the next statement rejects
        await connection.query('SET SESSION innodb_lock_wait_timeout = 2');
        while (this.#wanted) {
          await this.#transaction(connection);
          this.transactions++;
          await sleep(this.#dice.between(0, 6));
        }
      } catch {
        await sleep(50); // the server is gone, and comes again
      } finally {
        connection?.destroy();
      }
    }
  }

  /** What the server refuses (a duplicate key, a deadlock) is rolled back; only the end of the connection rejects. */
  async #transaction(connection: Connection): Promise<void> {
    const statements = Array.from({ length: this.#dice.between(1, 7) }, () => this.#statement());
    try {
      await connection.beginTransaction();
      for (const sql of statements) await connection.query(sql);
      await connection.query(this.#dice.chance(0.93) ? 'COMMIT' : 'ROLLBACK');
    } catch (error) {
      if ((error as { fatal?: boolean }).fatal === true) throw error;
      await connection.query('ROLLBACK');
    }
  }

  #statement(): string {
    const dice = this.#dice;
    const account = () => dice.between(1, accounts);
    const order = () => dice.between(1, ordersMax);
    const tag = () => `'tag ${dice.between(0, 60)} ${dice.pick(['ß', 'a/b', ''])}'`;
    const length = dice.chance(0.03) ? 390 : dice.between(0, 30);
    const [one, other] = [account(), account()];
    return dice.pick([
      `UPDATE accounts SET balance = balance + CASE id WHEN ${one} THEN -7 ELSE 7 END WHERE id IN (${one}, ${other})`,
      `INSERT IGNORE INTO accounts VALUES (${account()}, 'owner ${one} again', ${dice.between(-9, 9)})`,
      `REPLACE INTO tags VALUES (${tag()}, ${dice.between(0, 1000)})`,
      `UPDATE IGNORE tags SET name = ${tag()}, n = n + 1 WHERE name = ${tag()}`,
      `DELETE FROM tags WHERE n < ${dice.between(0, 200)} LIMIT 5`,
      `INSERT IGNORE INTO orders VALUES (${order()}, ${account()}, ${dice.between(0, 99)}.25, REPEAT('ä', ${length}))`,
      `INSERT INTO orders VALUES (${order()}, ${account()}, 1, NULL) ON DUPLICATE KEY UPDATE amount = amount + 1`,
      `UPDATE orders SET note = REPEAT('x', ${length}) WHERE id BETWEEN ${order()} AND ${order()} LIMIT 20`,
      `INSERT IGNORE INTO order_lines VALUES (${order()}, ${dice.between(1, 4)}, ${dice.between(0, 9)}), (${order()}, 1, NULL)`,
      `UPDATE IGNORE order_lines SET line = line + 1, pieces = 3 WHERE order_id = ${order()} AND line = ${dice.between(1, 4)}`,
      `DELETE FROM orders WHERE id = ${order()}`,
      ...(dice.chance(0.3) ? [`DELETE FROM accounts WHERE id = ${account()}`] : []),
      ...(dice.chance(0.3) ? [`UPDATE IGNORE accounts SET id = ${account()} WHERE id = ${account()}`] : []),
      ...(dice.chance(0.3) ? [`UPDATE IGNORE orders SET id = ${order()} WHERE id = ${order()}`] : []),
      ...(dice.chance(0.05) ? [`UPDATE accounts SET balance = balance + 1`] : []),
      // Of several chunks, so that it can be cut when a part of it is handed over.
      ...(dice.chance(0.1) ? [`UPDATE orders SET note = REPEAT('${dice.pick(['y', 'z'])}', 390)`] : []),
    ]);
  }
}
