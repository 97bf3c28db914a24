// Connections to the source: one place for options, TLS and the settings that every session of ours has. Queries come back as
// rows with text values only; what is larger than a page of settings is read by the snapshot instead. Everything that is asked has a
// deadline and a largest answer (answer-bounds.ts), and ends at once when the signal aborts.
import mysql, { type Connection, type ConnectionOptions } from 'mysql2';
import { isAbort } from '../../core/backoff.js';
import { bounds } from '../../core/bounds.js';
import { AppError } from '../../core/errors.js';
import { AnswerGuard, boundValues } from './answer-bounds.js';
import type { MysqlConfig } from './config.js';
import { expired, progressBytes, type Deadline, type Deadlines } from './deadline.js';
import { withoutPublicKey } from './public-key.js';
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
    ...(tls
      ? { ssl: { rejectUnauthorized: false } }
      : config.publicKeyRetrieval
        ? {}
        : { authPlugins: withoutPublicKey }),
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

interface Question {
  readonly doing: string;
  readonly deadline: Deadline;
  /** Bytes of its answer, at most. */
  readonly bytesMax: number;
  /** Rows that come put the deadline off. */
  readonly ofRows?: boolean;
}

type Start<T> = (connection: Connection, resolve: (value: T) => void, reject: (error: Error) => void) => void;

/** A connection for questions; every value is text. */
export class Session {
  readonly #connection: Connection;
  #options: ResolvedOptions;
  readonly #user: string;
  readonly #deadlines: Deadlines;
  readonly #guard: AnswerGuard;
  /** Set when the connection broke while no query ran. */
  failure: Error | undefined;
  /** The driver forgets what runs when we close: these are told by us. */
  readonly #pending = new Set<(reason: Error) => void>();

  private constructor(connection: Connection, options: ResolvedOptions, config: MysqlConfig) {
    this.#connection = connection;
    this.#options = options;
    this.#user = config.user;
    this.#deadlines = config.deadlines;
    this.#guard = new AnswerGuard(connection, config.packetBytesMax, (error) => this.#break(error));
    connection.on('error', (error: Error) => this.#break(error));
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
      const login = { doing, deadline: config.deadlines.short, bytesMax: bounds.sourceLoginBytes.value };
      await session.#run<void>(login, (_, resolve, reject) => {
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
    return this.#ask(doing, deadline, (connection, resolve, reject) => {
      const query = connection.query({ sql, typeCast: (field) => field.string() }, (error, rows) => {
        if (error) reject(error);
        // What has no result has no rows either.
        else resolve(Array.isArray(rows) ? (rows as unknown as Row[]) : []);
      });
      boundValues(query);
    });
  }

  /** A question to the driver itself that may have to wait; what it starts has to bound its columns and values. */
  askLong<T>(doing: string, start: Start<T>): Promise<T> {
    return this.#ask(doing, this.#deadlines.long, start);
  }

  #ask<T>(doing: string, deadline: Deadline, start: Start<T>): Promise<T> {
    return this.#run({ doing, deadline, bytesMax: bounds.sourceAnswerBytes.value }, start);
  }

  /** Reads rows; what comes puts the deadline off. Who takes them bounds them. */
  read<T>(doing: string, start: Start<T>): Promise<T> {
    const { long: deadline } = this.#deadlines;
    return this.#run({ doing, deadline, bytesMax: Number.POSITIVE_INFINITY, ofRows: true }, start);
  }

  /** Rejects with an error of ours, also when the session is closed meanwhile. */
  async #run<T>(question: Question, start: Start<T>): Promise<T> {
    const { doing } = question;
    if (this.failure) throw sourceError(this.failure, doing, this.#user);
    let reject: ((reason: Error) => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, rejectRun) => {
        reject = rejectRun;
        this.#guard[this.#pending.size === 0 ? 'begin' : 'add'](question.bytesMax);
        this.#pending.add(rejectRun);
        timer = this.#watch(question);
        start(this.#connection, resolve, rejectRun);
      });
    } catch (error) {
      throw isAbort(error) ? error : sourceError(error, doing, this.#user);
    } finally {
      clearTimeout(timer);
      if (reject) this.#pending.delete(reject);
    }
  }

  /** Of rows what comes counts: they may take any time. Anything else has to be over. */
  #watch({ deadline, doing, ofRows = false }: Question): NodeJS.Timeout | undefined {
    if (deadline.ms === 0) return undefined;
    const { stream } = this.#connection as unknown as { readonly stream: { readonly bytesRead: number } };
    let bytesRead = stream.bytesRead;
    const timer = setTimeout(() => {
      if (ofRows && stream.bytesRead - bytesRead >= progressBytes) {
        bytesRead = stream.bytesRead;
        timer.refresh();
        return;
      }
      this.#break(expired(deadline, doing));
    }, deadline.ms);
    return timer;
  }

  /** Whatever is asked now, or later, fails for this reason. */
  #break(error: Error): void {
    this.failure ??= error;
    this.#connection.destroy();
    for (const reject of this.#pending) reject(error);
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
