// A writer beside a snapshot: inserts, updates, deletes, key changes and puts-back of rows of one table, in transactions, until
// it is stopped.
import mysql from 'mysql2/promise';
import type { SqlAddress } from '../servers/sql-client.js';

export interface Writer {
  readonly transactions: number;
  stop(): Promise<void>;
}

/** `value(i)` gives the key values of row i as SQL; rows 0..599 exist at the start. */
export async function startWriter(
  server: Pick<SqlAddress, 'host' | 'port' | 'user' | 'password'>,
  database: string,
  table: string,
  keyColumns: readonly string[],
  value: (i: number) => string,
): Promise<Writer> {
  const { host, port, user, password } = server;
  const connection = await mysql.createConnection({ host, port, user, password, database, multipleStatements: true });
  let running = true;
  let transactions = 0;
  let seed = 12345;
  const dice = (sides: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % sides;
  const key = keyColumns.join(', ');
  const where = (i: number) => `(${key}) = (${value(i)})`;
  const work = (async () => {
    while (running) {
      const statements: string[] = [];
      for (let i = dice(4); i >= 0; i--) {
        const row = dice(900);
        switch (dice(4)) {
          case 0:
            statements.push(`DELETE FROM ${table} WHERE ${where(row)}`);
            break;
          case 1:
            statements.push(
              `INSERT INTO ${table} VALUES (${value(row)}, ${dice(1000)}) ON DUPLICATE KEY UPDATE v = v + 1`,
            );
            break;
          case 2:
            statements.push(`UPDATE ${table} SET v = v + 1 WHERE ${where(row)}`);
            break;
          default:
            // The row moves to a free key, to either side of where the snapshot may be.
            statements.push(
              `DELETE FROM ${table} WHERE ${where(row)}`,
              `INSERT IGNORE INTO ${table} VALUES (${value(dice(900))}, ${dice(1000)})`,
            );
        }
      }
      await connection.query(`BEGIN; ${statements.join('; ')}; COMMIT`);
      transactions++;
    }
  })();
  return {
    get transactions() {
      return transactions;
    },
    async stop() {
      running = false;
      await work;
      await connection.end();
    },
  };
}
