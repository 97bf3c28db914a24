// What tests do with a MySQL or MariaDB server once it has an address: connections, databases and users of their own.
// The address may be that of a server of ours or of one that the environment names.
import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';

export type SqlProduct = 'mysql' | 'mariadb';

/** Where a server is; may be one that the environment names. Plain values, so that it can be handed to a test file. */
export interface SqlAddress {
  readonly product: SqlProduct;
  /** `mysql://user:password@host:port` */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** As `SELECT VERSION()` prints it. */
  readonly version: string;
}

/** The server that a URL of the environment names; rejects when it is the other product or does not answer. */
export async function sqlAddressFromUrl(product: SqlProduct, url: string): Promise<SqlAddress> {
  const { hostname, port, username, password } = new URL(url);
  const user = decodeURIComponent(username) || 'root';
  const address = addressOf(hostname, Number(port || 3306), user, decodeURIComponent(password));
  const version = await askVersion(address);
  if (/mariadb/i.test(version) !== (product === 'mariadb')) {
    throw new Error(`the ${product} server that the environment names is ${version}`);
  }
  return { product, ...address, version };
}

export interface TestUser {
  readonly user: string;
  readonly password: string;
  readonly url: string;
}

/** A new user with these grants, such as `['SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.*']`. */
export async function createUser(
  address: SqlAddress,
  options: { grants: readonly string[]; password?: string; identifiedBy?: string },
): Promise<TestUser> {
  const user = uniqueName('user');
  const password = options.password ?? 'secret';
  await withConnection(address, async (connection) => {
    const identified = options.identifiedBy ?? `IDENTIFIED BY ${connection.escape(password)}`;
    await connection.query(`CREATE USER ${user} ${identified}`);
    for (const grant of options.grants) await connection.query(`GRANT ${grant} TO ${user}`);
  });
  const { url } = addressOf(address.host, address.port, user, password);
  return { user, password, url };
}

export interface TestDatabase {
  readonly name: string;
  /** The server's URL with this database. */
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database with a name that no other test file has. */
export async function createDatabase(address: SqlAddress, prefix = 'test'): Promise<TestDatabase> {
  const name = uniqueName(prefix);
  await withConnection(address, (connection) => connection.query(`CREATE DATABASE ${name}`));
  return {
    name,
    url: `${address.url}/${name}`,
    drop: () => withConnection(address, async (connection) => void (await connection.query(`DROP DATABASE ${name}`))),
  };
}

export async function withConnection<T>(
  address: Pick<SqlAddress, 'host' | 'port' | 'user' | 'password'>,
  use: (connection: mysql.Connection) => Promise<T>,
): Promise<T> {
  const { host, port, user, password } = address;
  const connection = await mysql.createConnection({ host, port, user, password, multipleStatements: true });
  try {
    return await use(connection);
  } finally {
    await connection.end();
  }
}

/** One after the other, in a session of its own whose default is the database. */
export function runStatements(
  address: Pick<SqlAddress, 'host' | 'port' | 'user' | 'password'>,
  database: string,
  statements: readonly string[],
): Promise<void> {
  return withConnection(address, async (connection) => {
    for (const statement of [`USE ${database}`, ...statements]) await connection.query(statement);
  });
}

export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(4).toString('hex')}`;
}

export function addressOf(
  host: string,
  port: number,
  user: string,
  password: string,
): Pick<SqlAddress, 'url' | 'host' | 'port' | 'user' | 'password'> {
  const secret = password === '' ? '' : `:${encodeURIComponent(password)}`;
  return { url: `mysql://${encodeURIComponent(user)}${secret}@${host}:${port}`, host, port, user, password };
}

export async function askVersion(address: {
  host: string;
  port: number;
  user: string;
  password?: string;
}): Promise<string> {
  return withConnection({ password: '', ...address }, async (connection) => {
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT VERSION() AS version');
    return String(rows[0]?.['version']);
  });
}
