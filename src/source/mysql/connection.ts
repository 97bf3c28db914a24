// Connections to the source: one place for options, TLS and the settings that every session of ours has. Queries come back as
// rows with text values only; what is larger than a page of settings is read by the snapshot instead. Everything that is asked has a
// deadline, and ends at once when the signal aborts.
import mysql, { type Connection, type ConnectionOptions } from 'mysql2';
import { isAbort } from '../../core/backoff.js';
import { AppError } from '../../core/errors.js';
import type { MysqlConfig } from './config.js';
import { expired, type Deadline, type Deadlines } from './deadline.js';
import { sourceError } from './source-error.js';

export type Row = Readonly<Record<string, string | null>>;

/** What a connection needs, with the question of TLS settled. */
export interface ResolvedOptions {
  readonly driver: ConnectionOptions;
  /**
   * The server that it has to lead to, as `serverSql` tells. An address may lead to another one at any time (a failover, a router), and what
   * belongs together has to come from one: places in the binlog, views and the stream of different servers say nothing of each other.
   */
  readonly server: string | undefined;
}

/** Servers of one replication never share their id. */
export const serverSql = "SELECT CONCAT_WS(' ', @@GLOBAL.server_id, @@hostname, @@port, @@datadir) AS server";

export function otherServer(): AppError {
  return new AppError('source-unreachable', 'the address leads to another server than a moment ago', {
    retriable: true,
    hint: 'it is tried again; where that does not end, give the address of one server, not of a router that spreads over several',
  });
}

export function connectionOptions(config: MysqlConfig, tls: boolean): ConnectionOptions {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    connectTimeout: config.deadlines.short.ms,
    charset: 'utf8mb4',
    enableKeepAlive: true,
    // Certificates are not verified in the modes that we cover; the modes that do are refused by name.
    ...(tls ? { ssl: { rejectUnauthorized: false } } : {}),
  };
}

/**
 * What our questions rely on, whatever the server hands out to sessions: it is meant for applications. Without it a chunk of a snapshot
 * would see what another chunk's transaction saw (autocommit), or what was never committed, or end after some rows.
 */
const sessionSettings = [
  // Plain rules for our own statements, times in UTC.
  "sql_mode = ''",
  "time_zone = '+00:00'",
  // No idle limit: a control connection may rest for days.
  'wait_timeout = 2147483',
  'net_write_timeout = 3600',
  'autocommit = 1',
  'completion_type = 0',
  'sql_select_limit = 18446744073709551615',
  'sql_big_selects = 1',
];
/** A primary key that MySQL has made of itself is one like any other. MariaDB passes over comments for a MySQL from 5.7.0 to 9.99.99, and MySQL over those with an M. */
const productSettings =
  ' /*!50708 , max_execution_time = 0 */ /*!80030 , show_gipk_in_create_table_and_information_schema = 1 */ /*M! , max_statement_time = 0 , idle_transaction_timeout = 0 */';

type Start<T> = (connection: Connection, resolve: (value: T) => void, reject: (error: Error) => void) => void;

/** A connection for questions; every value is text. */
export class Session {
  readonly #connection: Connection;
  #options: ResolvedOptions;
  readonly #user: string;
  readonly #deadlines: Deadlines;
  /** Set when the connection broke while no query ran. */
  failure: Error | undefined;
  /** The driver forgets what runs when we close: these are told by us. */
  readonly #pending = new Set<(reason: Error) => void>();

  private constructor(connection: Connection, options: ResolvedOptions, { user, deadlines }: MysqlConfig) {
    this.#connection = connection;
    this.#options = options;
    this.#user = user;
    this.#deadlines = deadlines;
    connection.on('error', (error: Error) => {
      this.failure = error;
    });
  }

  /** Connects, with or without TLS as the mode and the server allow. */
  static async open(config: MysqlConfig, signal?: AbortSignal): Promise<Session> {
    const open = (tls: boolean) =>
      this.openWith(config, { driver: connectionOptions(config, tls), server: undefined }, signal);
    if (config.sslMode === 'disabled') return open(false);
    try {
      return await open(true);
    } catch (error) {
      const { cause } = error as { cause?: { code?: unknown } };
      if (config.sslMode === 'required' || cause?.code !== 'HANDSHAKE_NO_SSL_SUPPORT') throw error;
      return open(false);
    }
  }

  /** For more connections to the same server. */
  get options(): ResolvedOptions {
    return this.#options;
  }

  static async openWith(config: MysqlConfig, options: ResolvedOptions, signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted();
    // The driver's own limit ends with the handshake; ours counts up to a session that can be used.
    const connection = mysql.createConnection({ ...options.driver, connectTimeout: 0 });
    const session = new Session(connection, options, config);
    const onAbort = () => session.close();
    signal?.addEventListener('abort', onAbort, { once: true });
    const doing = `connecting to ${config.host}:${config.port}`;
    try {
      await session.run<void>(doing, config.deadlines.short, (_, resolve, reject) => {
        connection.connect((error) => (error ? reject(error) : resolve()));
      });
      await session.query(`SET SESSION ${sessionSettings.join(', ')}${productSettings}`, doing);
      await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ', doing);
      const server = (await session.query(serverSql, doing))[0]?.['server'] ?? '';
      if (server !== (options.server ?? server)) throw otherServer();
      session.#options = { ...options, server };
    } catch (error) {
      connection.destroy();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    return session;
  }

  /** A question whose answer is at hand. */
  query(sql: string, doing = 'being asked'): Promise<Row[]> {
    return this.#query(sql, doing, this.#deadlines.short);
  }

  /** A statement that may have to read much, or to wait for others. */
  queryLong(sql: string, doing: string): Promise<Row[]> {
    return this.#query(sql, doing, this.#deadlines.long);
  }

  #query(sql: string, doing: string, deadline: Deadline): Promise<Row[]> {
    return this.run(doing, deadline, (connection, resolve, reject) => {
      connection.query({ sql, typeCast: (field) => field.string() }, (error, rows) => {
        if (error) reject(error);
        else resolve(rows as unknown as Row[]);
      });
    });
  }

  /** Reads rows; what comes puts the deadline off. */
  read<T>(doing: string, start: Start<T>): Promise<T> {
    return this.run(doing, this.#deadlines.long, start);
  }

  /** Anything asked of the driver; rejects with an error of ours, also when the session is closed meanwhile. */
  async run<T>(doing: string, deadline: Deadline, start: Start<T>): Promise<T> {
    if (this.failure) throw sourceError(this.failure, doing, this.#user);
    let reject: ((reason: Error) => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, rejectRun) => {
        reject = rejectRun;
        this.#pending.add(rejectRun);
        timer = this.#watch(deadline, doing, rejectRun);
        start(this.#connection, resolve, rejectRun);
      });
    } catch (error) {
      throw isAbort(error) ? error : sourceError(error, doing, this.#user);
    } finally {
      clearTimeout(timer);
      if (reject) this.#pending.delete(reject);
    }
  }

  /** Of a long statement what comes counts: its rows may take any time. A short one has to be over. */
  #watch(deadline: Deadline, doing: string, reject: (reason: Error) => void): NodeJS.Timeout | undefined {
    if (deadline.ms === 0) return undefined;
    const { stream } = this.#connection as unknown as { readonly stream: { readonly bytesRead: number } };
    let bytesRead = stream.bytesRead;
    const timer = setTimeout(() => {
      if (deadline === this.#deadlines.long && stream.bytesRead !== bytesRead) {
        bytesRead = stream.bytesRead;
        timer.refresh();
        return;
      }
      const error = expired(deadline, doing);
      this.failure = error;
      this.#connection.destroy();
      reject(error);
    }, deadline.ms);
    return timer;
  }

  async one(sql: string): Promise<Row> {
    return (await this.query(sql))[0] ?? {};
  }

  close(): void {
    this.#connection.destroy();
    for (const reject of this.#pending) reject(new DOMException('the session was closed', 'AbortError'));
  }
}

/** Whether the user may run this. */
export async function allowed(session: Session, sql: string): Promise<boolean> {
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (error instanceof AppError && (error.code === 'source-missing-grant' || error.code === 'source-access-denied'))
      return false;
    throw error;
  }
}

/** A string literal; our sessions have no NO_BACKSLASH_ESCAPES. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
