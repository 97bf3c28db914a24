// Two servers of one product, the second a replica of the first by GTIDs: the roles change orderly or after a crash, and the one that fell
// behind follows again, if need be from a copy of the other's data.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2';
import { waitFor } from '../harness/wait-for.js';
import { startMariadb } from './mariadb.js';
import { startMysql } from './mysql.js';
import { withConnection, type SqlAddress, type SqlProduct } from './sql-client.js';
import type { SqlServer } from './sql-server.js';

type Address = Pick<SqlAddress, 'host' | 'port' | 'user' | 'password'>;

const words = {
  mysql: {
    begin: startMysql,
    follow: (port: number) => [
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=${port}, SOURCE_USER='root', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400`,
      'START REPLICA',
    ],
    stopReading: 'STOP REPLICA IO_THREAD',
    promote: ['STOP REPLICA', 'RESET REPLICA ALL'],
    status: 'SHOW REPLICA STATUS',
    executed: 'SELECT @@GLOBAL.gtid_executed AS executed',
  },
  mariadb: {
    begin: startMariadb,
    follow: (port: number) => [
      'SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_binlog_pos',
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${port}, MASTER_USER='root', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1`,
      'START SLAVE',
    ],
    stopReading: 'STOP SLAVE IO_THREAD',
    promote: ['STOP SLAVE', 'RESET SLAVE ALL'],
    status: 'SHOW SLAVE STATUS',
    executed: 'SELECT @@GLOBAL.gtid_binlog_pos AS executed',
  },
} as const;

export class ReplicatedPair {
  readonly product: SqlProduct;
  #primary: SqlServer;
  #replica: SqlServer;

  private constructor(product: SqlProduct, primary: SqlServer, replica: SqlServer) {
    this.product = product;
    this.#primary = primary;
    this.#replica = replica;
  }

  static async open(product: SqlProduct): Promise<ReplicatedPair> {
    const { begin, follow } = words[product];
    const serverArgs = (id: number) => [
      `--server-id=${id}`,
      product === 'mysql' ? '--log-replica-updates=ON' : '--log-slave-updates=ON',
    ];
    const primary = await begin({ serverArgs: serverArgs(11) });
    const replica = await begin({ serverArgs: serverArgs(12) }).catch(async (error: unknown) => {
      await primary.close();
      throw error;
    });
    await run(replica, follow(primary.port));
    return new ReplicatedPair(product, primary, replica);
  }

  /** Who takes the writes. */
  get primary(): SqlServer {
    return this.#primary;
  }

  get replica(): SqlServer {
    return this.#replica;
  }

  /** What the primary has written by now is in the replica. */
  async caughtUp(): Promise<void> {
    const { executed } = words[this.product];
    const wanted = String((await ask(this.#primary, executed))['executed']);
    const arrived = async () => {
      const found = String((await ask(this.#replica, executed))['executed']);
      if (this.product === 'mariadb') return found === wanted;
      return (await ask(this.#replica, `SELECT GTID_SUBSET('${wanted}', '${found}') AS within`))['within'] === 1;
    };
    await waitFor('the replica to follow', arrived, { timeoutMs: 40_000 }).catch(async (cause: unknown) => {
      const status = JSON.stringify(await ask(this.#replica, words[this.product].status));
      throw new Error(`the replica does not follow: ${status}`, { cause });
    });
  }

  /** From here on the replica hears nothing more. */
  async partReplica(): Promise<void> {
    await run(this.#replica, [words[this.product].stopReading]);
  }

  /** The replica is the primary, and the other nobody's replica yet. */
  async promote(): Promise<void> {
    await run(this.#replica, words[this.product].promote);
    [this.#primary, this.#replica] = [this.#replica, this.#primary];
  }

  /** The one that was primary follows, whose history is a part of the primary's. */
  async follow(): Promise<void> {
    await run(this.#replica, words[this.product].follow(this.#primary.port));
  }

  /** The one that was primary has transactions that the primary lacks: it gets the primary's data instead of its own. */
  async copyToReplica(): Promise<void> {
    const [from, to] = [this.#primary.dataDir, this.#replica.dataDir];
    if (from === undefined || to === undefined) throw new Error('servers in containers have no folder to copy');
    await this.#replica.kill();
    await this.#primary.stop();
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true });
    rmSync(join(to, 'auto.cnf'), { force: true }); // the server UUID of MySQL
    await this.#primary.start();
    await this.#replica.start();
    await this.follow();
  }

  async close(): Promise<void> {
    await this.#replica.close();
    await this.#primary.close();
  }
}

async function run(server: Address, statements: readonly string[]): Promise<void> {
  await withConnection(server, async (connection) => {
    for (const sql of statements) await connection.query(sql);
  });
}

async function ask(server: Address, sql: string): Promise<Readonly<Record<string, unknown>>> {
  return withConnection(server, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows[0] ?? {};
  });
}
