// Databases of their own on a MySQL or MariaDB server, and what a script leaves on that server beside them: other databases, users,
// prepared XA transactions, settings. All of that is taken away again.
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { withConnection, type SqlAddress } from '../support/servers/sql-client.js';
import type { Ground, Place, SectionEnd } from './place.js';
import type { Section } from './script.js';
import { quoted, readTables, texts } from './source-sql.js';

/** What LOAD DATA reads, as the cases have it. */
const caseFile = '1;neu é;5\n2;zwei 😀;\\N\n3;this is much too long;7\n';
const statementMs = 60_000;
/** Lock wait timeout and deadlock: of two that are in each other's way one is capture. */
const hindrances = new Set([1205, 1213]);

export function openMysqlGround(address: SqlAddress): Ground {
  const dir = mkdtempSync(join(tmpdir(), 'writethrough-cases-'));
  const file = join(dir, 'case.txt');
  writeFileSync(file, caseFile);
  return {
    product: address.product,
    open: async (label) => {
      await withConnection(address, (connection) =>
        connection.query(`CREATE DATABASE ${quoted(label)} CHARACTER SET utf8mb4`),
      );
      return new MysqlPlace(address, label, file);
    },
    close: () => Promise.resolve(rmSync(dir, { recursive: true, force: true })),
  };
}

/** What of the server outlives a session. */
interface Remnants {
  readonly databases: readonly string[];
  readonly users: readonly string[];
  /** Undefined where the script sets none. */
  readonly settings: ReadonlyMap<string, string | null> | undefined;
}

class MysqlPlace implements Place {
  readonly label: string;
  readonly #address: SqlAddress;
  readonly #file: string;
  /** Databases that a connector is told of; the own one first. */
  readonly #databases: string[];
  readonly #made = new Set<string>();
  readonly #users = new Set<string>();
  readonly #settings = new Map<string, string | null>();
  readonly #tables = new Set<string>();
  #captured = false;
  #prepares = false;
  #anchor: string | undefined;

  constructor(address: SqlAddress, label: string, file: string) {
    this.label = label;
    this.#address = address;
    this.#file = file;
    this.#databases = [label];
  }

  async run(section: Section): Promise<SectionEnd> {
    this.#prepares ||= section.some((statement) => /\bXA\s/i.test(statement));
    const settings = section.some((statement) => /\b(GLOBAL|PERSIST)/i.test(statement));
    const before = await this.#ask((connection) => remnants(connection, settings));
    try {
      return await this.#session(section);
    } finally {
      const after = await this.#ask((connection) => remnants(connection, settings));
      this.#remember(before, after);
    }
  }

  async #session(section: Section): Promise<SectionEnd> {
    const { host, port, user, password } = this.#address;
    const connection = await mysql.createConnection({
      host,
      port,
      user,
      password,
      multipleStatements: true,
      charset: 'utf8mb4',
    });
    connection.on('error', () => undefined); // a script may end its own session
    try {
      // An earlier section may have dropped it.
      const use = `USE ${quoted(this.label)}`;
      const missing = await connection.query(use).catch((error: unknown) => error);
      if (missing instanceof Error) return await this.#failed(missing, use, connection.threadId);
      for (const written of section) {
        const statement = this.#substitute(written);
        try {
          await connection.query({
            sql: statement,
            rowsAsArray: true,
            timeout: statementMs,
            infileStreamFactory: () => createReadStream(this.#file),
          });
        } catch (error) {
          return await this.#failed(error, statement, connection.threadId);
        }
      }
      await connection.query('ROLLBACK').catch(() => undefined);
      return { kind: 'done', notes: [] };
    } finally {
      connection.destroy();
    }
  }

  async #failed(error: unknown, statement: string, session: number): Promise<SectionEnd> {
    const { errno, code, message } = error as { errno?: number; code?: string; message: string };
    if (code === 'PROTOCOL_SEQUENCE_TIMEOUT') {
      await this.#ask((connection) => connection.query(`KILL ${session}`)).catch(() => undefined);
      return { kind: 'hindered', message: `it did not end in ${statementMs / 1000} s`, statement };
    }
    if (errno === undefined || errno < 1000) throw error; // of the driver or the network
    if (hindrances.has(errno)) return { kind: 'hindered', message: `${errno} ${message}`, statement };
    return { kind: 'refused', errno: String(errno), message, statement };
  }

  #substitute(statement: string): string {
    return statement
      .replaceAll('CASE_FILE', () => this.#file)
      .replaceAll('$DBNAME$', () => this.label)
      .replaceAll('$CHARSET$', 'utf8mb4');
  }

  #remember(before: Remnants, after: Remnants): void {
    for (const name of after.databases)
      if (!before.databases.includes(name) && name !== this.label) this.#made.add(name);
    for (const name of after.users) if (!before.users.includes(name)) this.#users.add(name);
    for (const [name, value] of after.settings ?? []) {
      const first = before.settings?.get(name);
      if (first !== undefined && first !== value && !this.#settings.has(name)) this.#settings.set(name, first);
    }
  }

  async connector(): Promise<Readonly<Record<string, string>>> {
    const { host, port, user, password } = this.#address;
    if (!this.#captured) await this.#settle();
    const all = this.#anchor === undefined ? this.#databases : [...this.#databases, this.#anchor];
    return {
      'connector.class': 'MySqlCdcSource',
      'database.hostname': host,
      'database.port': String(port),
      'database.user': user,
      'database.password': password,
      'database.include.list': all.map((name) => name.replaceAll(/[^\w\u0080-\uffff]/g, '\\$&')).join(','),
    };
  }

  /** From now on it is known what is captured. A filter has to meet a table, so an empty database gets company. */
  async #settle(): Promise<void> {
    this.#captured = true;
    this.#databases.push(...this.#made);
    const tables = await this.tables();
    if (tables.some(({ key }) => key.length > 0)) return;
    const anchor = `${this.label}_anchor`;
    this.#anchor = anchor;
    await this.#ask((connection) =>
      connection.query(`CREATE DATABASE ${anchor}; CREATE TABLE ${anchor}.${anchor} (id INT PRIMARY KEY)`),
    );
  }

  async tables(): ReturnType<Place['tables']> {
    const tables = await this.#ask((connection) => readTables(connection, this.#databases));
    for (const { table } of tables) this.#tables.add(table);
    return tables;
  }

  names(): readonly string[] {
    return [...this.#databases, ...this.#tables];
  }

  drop(): Promise<void> {
    return this.#ask(async (connection) => {
      const attempt = async (sql: string): Promise<void> => {
        // What is gone already, or cannot be set, is as it should be.
        await connection.query({ sql, timeout: statementMs }).catch(() => undefined);
      };
      if (this.#settings.size > 0) await attempt('RESET PERSIST');
      for (const [name, value] of this.#settings) {
        const number = value !== null && /^-?\d+(\.\d+)?$/.test(value);
        await attempt(`SET GLOBAL ${quoted(name)} = ${number ? value : connection.escape(value)}`);
      }
      if (this.#prepares) for (const xid of await preparedXids(connection)) await attempt(`XA ROLLBACK ${xid}`);
      await connection.query('SET SESSION lock_wait_timeout = 10, foreign_key_checks = 0');
      const anchor = this.#anchor === undefined ? [] : [this.#anchor];
      for (const name of new Set([this.label, ...this.#made, ...anchor]))
        await attempt(`DROP DATABASE IF EXISTS ${quoted(name)}`);
      for (const user of this.#users) await attempt(`DROP USER ${user}`);
    });
  }

  #ask<T>(use: (connection: mysql.Connection) => Promise<T>): Promise<T> {
    return withConnection(this.#address, use);
  }
}

/** As XA ROLLBACK takes them. */
async function preparedXids(connection: mysql.Connection): Promise<string[]> {
  const [[version]] = (await texts(connection, 'SELECT VERSION()')) as [[string]];
  if (/mariadb/i.test(version))
    return (await texts(connection, "XA RECOVER FORMAT = 'SQL'")).map(([, , , xid]) => xid!);
  return (await texts(connection, 'XA RECOVER CONVERT XID')).map(([format, length, , data]) => {
    const hex = data!.replace(/^0x/i, '');
    const cut = Number(length) * 2;
    return `X'${hex.slice(0, cut)}', X'${hex.slice(cut)}', ${format}`;
  });
}

/** Where the server stands is no setting. */
const standing = /^(gtid_(executed|purged|owned|binlog|current|slave)|timestamp|server_u|rand_seed|last_)/;

async function remnants(connection: mysql.Connection, settings: boolean): Promise<Remnants> {
  const databases = await texts(connection, 'SHOW DATABASES');
  const users = await texts(connection, "SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.user");
  const variables = settings ? await texts(connection, 'SHOW GLOBAL VARIABLES') : undefined;
  return {
    databases: databases.map(([name]) => name!),
    users: users.map(([name]) => name!),
    settings:
      variables && new Map(variables.filter(([name]) => !standing.test(name!)).map(([name, value]) => [name!, value!])),
  };
}
