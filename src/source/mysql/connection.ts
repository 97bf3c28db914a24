// Connections to the source: one place for options, TLS and the settings that every session of ours has. Queries come back as
// rows with text values only; what is larger than a page of settings is read by the snapshot instead.
import mysql, { type Connection, type ConnectionOptions } from 'mysql2';
import { isAbort } from '../../core/backoff.js';
import type { MysqlConfig } from './config.js';
import { sourceError } from './source-error.js';

export type Row = Readonly<Record<string, string | null>>;

/** What a connection needs, with the question of TLS settled. */
export type ResolvedOptions = ConnectionOptions;

export function connectionOptions(config: MysqlConfig, tls: boolean): ResolvedOptions {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    connectTimeout: config.connectTimeoutMs,
    charset: 'utf8mb4',
    enableKeepAlive: true,
    // Certificates are not verified in the modes that we cover; the modes that do are refused by name.
    ...(tls ? { ssl: { rejectUnauthorized: false } } : {}),
  };
}

/** A connection for questions; every value is text. */
export class Session {
  readonly #connection: Connection;
  readonly options: ResolvedOptions;
  readonly #user: string;
  /** Set when the connection broke while no query ran. */
  failure: Error | undefined;
  /** The driver forgets what runs when we close: these are told by us. */
  readonly #pending = new Set<(reason: Error) => void>();

  private constructor(connection: Connection, options: ResolvedOptions, user: string) {
    this.#connection = connection;
    this.options = options;
    this.#user = user;
    connection.on('error', (error: Error) => {
      this.failure = error;
    });
  }

  /** Connects, with or without TLS as the mode and the server allow. */
  static async open(config: MysqlConfig): Promise<Session> {
    if (config.sslMode === 'disabled') return this.openWith(config, connectionOptions(config, false));
    try {
      return await this.openWith(config, connectionOptions(config, true));
    } catch (error) {
      const { cause } = error as { cause?: { code?: unknown } };
      if (config.sslMode === 'required' || cause?.code !== 'HANDSHAKE_NO_SSL_SUPPORT') throw error;
      return this.openWith(config, connectionOptions(config, false));
    }
  }

  static async openWith(config: MysqlConfig, options: ResolvedOptions): Promise<Session> {
    const connection = mysql.createConnection(options);
    const session = new Session(connection, options, config.user);
    try {
      await new Promise<void>((resolve, reject) => {
        connection.connect((error) => (error ? reject(error) : resolve()));
      });
      // Plain rules for our own statements, times in UTC, and no idle limit: a control connection may rest for days.
      await session.query(
        "SET SESSION sql_mode = '', time_zone = '+00:00', wait_timeout = 2147483, net_write_timeout = 3600",
      );
    } catch (error) {
      connection.destroy();
      throw sourceError(error, `connecting to ${config.host}:${config.port}`, config.user);
    }
    return session;
  }

  async query(sql: string, doing = 'being asked'): Promise<Row[]> {
    return this.run(doing, (connection, resolve, reject) => {
      connection.query({ sql, typeCast: (field) => field.string() }, (error, rows) => {
        if (error) reject(error);
        else resolve(rows as unknown as Row[]);
      });
    });
  }

  /** Anything asked of the driver; rejects with an error of ours, also when the session is closed meanwhile. */
  async run<T>(
    doing: string,
    start: (connection: Connection, resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    if (this.failure) throw sourceError(this.failure, doing, this.#user);
    let reject: ((reason: Error) => void) | undefined;
    try {
      return await new Promise<T>((resolve, rejectRun) => {
        reject = rejectRun;
        this.#pending.add(rejectRun);
        start(this.#connection, resolve, rejectRun);
      });
    } catch (error) {
      throw isAbort(error) ? error : sourceError(error, doing, this.#user);
    } finally {
      if (reject) this.#pending.delete(reject);
    }
  }

  async one(sql: string): Promise<Row> {
    return (await this.query(sql))[0] ?? {};
  }

  close(): void {
    this.#connection.destroy();
    for (const reject of this.#pending) reject(new DOMException('the session was closed', 'AbortError'));
  }
}

/** A string literal; our sessions have no NO_BACKSLASH_ESCAPES. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
