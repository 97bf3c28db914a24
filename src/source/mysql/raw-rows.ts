// Rows of a result as they lie in the packets: the driver frames them, nothing is decoded or made per row. A chunk of the
// snapshot waits in this form until the stream has caught up with it.
import type { Connection, FieldPacket, QueryOptions } from 'mysql2';
import { bounds } from '../../core/bounds.js';
import { AppError } from '../../core/errors.js';
import { boundColumns } from './answer-bounds.js';
import type { Session } from './connection.js';

/** What we use of mysql2's query command beyond its types: the state that is called for each packet of a row. */
interface RawQuery {
  row: (packet: RawPacket, connection: unknown) => unknown;
}

interface RawPacket {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  isEOF(): boolean;
}

export class RawRows {
  #buffers: Buffer[] = [];
  #starts: number[] = [];
  #ends: number[] = [];
  bytes = 0;

  add(buffer: Buffer, start: number, end: number): void {
    this.#buffers.push(buffer);
    this.#starts.push(start);
    this.#ends.push(end);
    this.bytes += end - start;
  }

  get count(): number {
    return this.#buffers.length;
  }

  buffer(row: number): Buffer {
    return this.#buffers[row]!;
  }

  start(row: number): number {
    return this.#starts[row]!;
  }

  /** The bytes of column `place` of a row, null for NULL. Not for the hot path. */
  column(row: number, place: number): Buffer | null {
    const source = this.#buffers[row]!;
    let at = this.#starts[row]!;
    for (let i = 0; ; i++) {
      const { length, next } = textLength(source, at);
      if (i === place) return length < 0 ? null : source.subarray(next, next + length);
      at = next + Math.max(0, length);
    }
  }
}

/** The length in front of a column in the text protocol; -1: NULL. */
export function textLength(source: Buffer, at: number): { length: number; next: number } {
  const first = source[at]!;
  switch (first) {
    case 0xfb:
      return { length: -1, next: at + 1 };
    case 0xfc:
      return { length: source.readUInt16LE(at + 1), next: at + 3 };
    case 0xfd:
      return { length: source.readUIntLE(at + 1, 3), next: at + 4 };
    case 0xfe:
      return { length: Number(source.readBigUInt64LE(at + 1)), next: at + 9 };
    default:
      return { length: first, next: at + 1 };
  }
}

/**
 * Runs a SELECT and collects its rows. When they exceed `bytesMax` the rest is left: `cut` is true, and the connection is in the
 * middle of a result and has to be closed.
 */
export function readRaw(session: Session, sql: string, bytesMax: number): Promise<{ rows: RawRows; cut: boolean }> {
  return session.read('reading rows', (connection, resolve, reject) => {
    const rows = new RawRows();
    let cut = false;
    const query = rawQuery(connection, sql, (error) => {
      if (error) reject(error);
      else resolve({ rows, cut });
    });
    takeRows(query, (buffer, start, end) => {
      if (cut) return;
      rows.add(buffer, start, end);
      if (rows.bytes > bounds.sourceRowsBytes.value)
        throw new AppError('source-answer-too-large', `the rows of one chunk have more than ${rows.bytes} bytes`, {
          hint: 'a smaller snapshot.fetch.size reads fewer at once',
        });
      if (rows.bytes > bytesMax) {
        cut = true;
        resolve({ rows, cut });
      }
    });
  });
}

/**
 * A query of which only packets are wanted. The driver makes no code for its columns then, which it does by their names, and refuses some
 * that every object has (`__proto__`): its error ends the connection.
 */
export function rawQuery(
  connection: Connection,
  sql: string,
  done: (error: Error | null, rows: unknown, fields: FieldPacket[]) => void,
): object {
  const options: QueryOptions & { readonly disableEval: boolean } = { sql, rowsAsArray: true, disableEval: true };
  return connection.query(options, done);
}

/** Rows of the query's result are taken as they come, and not read by the driver. */
export function takeRows(query: object, take: (buffer: Buffer, start: number, end: number) => void): void {
  boundColumns(query);
  const raw = query as RawQuery;
  const finish = raw.row;
  raw.row = function (this: RawQuery, packet, driver) {
    if (packet.isEOF()) return finish.call(this, packet, driver);
    take(packet.buffer, packet.start + 4, packet.end);
    return raw.row;
  };
}
