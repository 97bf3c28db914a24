// The result of one statement, taken in parts: between two of them the connection rests, and with it the server's sending, so that a
// result of any length is never held whole.
import type { Session } from './connection.js';
import { RawRows, type RawQuery } from './raw-rows.js';

export interface PartSize {
  readonly rows: number;
  readonly bytes: number;
}

/** One at a time on a session; a result that was not read to its end leaves it unusable. */
export class RawStream {
  readonly #session: Session;
  readonly #sql: string;
  #begun = false;
  #ended = false;
  /** Of a connection that broke between two parts, too. */
  #error: Error | undefined;
  #rows = new RawRows();
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(session: Session, sql: string) {
    this.#session = session;
    this.#sql = sql;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next rows, at least one before the end; the server may be silent as long as reading rows may take. */
  async next(size: PartSize): Promise<RawRows> {
    await this.#session.read<void>('reading rows', (connection, resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#error) reject(this.#error);
      else if (this.#ended) resolve();
      else if (this.#begun) connection.resume();
      else this.#begin(connection, size);
    });
    const rows = this.#rows;
    this.#rows = new RawRows();
    return rows;
  }

  #begin(connection: Parameters<Parameters<Session['read']>[1]>[0], size: PartSize): void {
    this.#begun = true;
    const query = connection.query(this.#sql, (error) => {
      this.#ended = true;
      this.#error = error ?? undefined;
      if (error) this.#reject(error);
      else this.#resolve();
    }) as unknown as RawQuery;
    const finish = query.row;
    const take: RawQuery['row'] = (packet) => {
      this.#rows.add(packet.buffer, packet.start + 4, packet.end);
      if (this.#rows.count >= size.rows || this.#rows.bytes >= size.bytes) {
        connection.pause();
        this.#resolve();
      }
      return query.row;
    };
    query.row = function (this: RawQuery, packet, driver) {
      return packet.isEOF() ? finish.call(this, packet, driver) : take(packet, driver);
    };
  }
}
