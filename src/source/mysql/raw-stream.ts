// The result of one statement, taken in parts: between two of them the connection rests, and with it the server's sending, so that a
// result of any length is never held whole.
import type { Connection } from 'mysql2';
import type { Session } from './connection.js';
import { rawQuery, RawRows, takeRows } from './raw-rows.js';

/** When it is reached, the part ends. */
interface PartSize {
  readonly rows: number;
  readonly bytes: number;
}

/** One at a time on a session; a result that was not read to its end leaves it unusable. */
export class RawStream {
  readonly #session: Session;
  readonly #sql: string;
  readonly #size: PartSize;
  #begun = false;
  #ended = false;
  /** Of a connection that broke between two parts, too. */
  #error: Error | undefined;
  #rows = new RawRows();
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(session: Session, sql: string, size: PartSize) {
    this.#session = session;
    this.#sql = sql;
    this.#size = size;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next rows, at least one before the end; the server may be silent as long as reading rows may take. */
  async next(): Promise<RawRows> {
    await this.#session.read<void>('reading rows', (connection, resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#error) reject(this.#error);
      else if (this.#ended) resolve();
      else if (this.#begun) connection.resume();
      else this.#begin(connection);
    });
    const rows = this.#rows;
    this.#rows = new RawRows();
    return rows;
  }

  #begin(connection: Connection): void {
    this.#begun = true;
    const query = rawQuery(connection, this.#sql, (error) => {
      this.#ended = true;
      this.#error = error ?? undefined;
      if (error) this.#reject(error);
      else this.#resolve();
    });
    takeRows(query, (buffer, start, end) => {
      this.#rows.add(buffer, start, end);
      if (this.#rows.count >= this.#size.rows || this.#rows.bytes >= this.#size.bytes) {
        connection.pause();
        this.#resolve();
      }
    });
  }
}
