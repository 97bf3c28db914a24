// What a server may send. It is not ours, it may be broken, and what answers at an address may be no MySQL at all: bytes are counted before
// the driver keeps them, packets have a largest size and follow each other, and the result of a question has so many columns and values.
// Whatever else the driver cannot make sense of ends the connection with an error, and nothing but that.
import type { Connection } from 'mysql2';
import { bounds } from '../../core/bounds.js';
import { AppError } from '../../core/errors.js';

/** What we use of mysql2's parser of packets beyond its types. */
interface PacketParser {
  execute(chunk: Buffer): unknown;
  /** Of the packet that is coming. */
  buffer: Buffer[];
  readonly bufferLength: number;
  /** Of a packet of several parts, those that are here. */
  readonly largePacketParts: readonly unknown[];
}

interface GuardedConnection {
  packetParser: Pick<PacketParser, 'execute'>;
}

const partBytes = 2 ** 24 - 1;
/** A packet that comes in ever so small pieces is put together now and then: each piece costs more than its bytes. */
const piecesMax = 1024;

const packetProperty = 'database.packet.bytes.max';
const raisedByProperty = {
  hint: `a larger row or event is taken where ${packetProperty} says so`,
  place: { path: packetProperty },
};

export class AnswerGuard {
  readonly #packetBytesMax: number;
  readonly #onError: (error: Error) => void;
  #bytes = 0;
  #bytesMax = 0;
  #failed = false;

  /** Right after the connection was made; `onError` is called once, and the connection is of no use then. */
  constructor(connection: Connection, packetBytesMax: number, onError: (error: Error) => void) {
    this.#packetBytesMax = packetBytesMax;
    this.#onError = onError;
    const guarded = connection as unknown as GuardedConnection & { readonly packetParser: PacketParser };
    const parser = guarded.packetParser;
    (guarded as GuardedConnection).packetParser = { execute: (chunk) => this.#take(parser, chunk) };
    // Emitted for packets out of their order, which the driver would take, with a line on the console for each.
    connection.on('warn' as 'error', (error) => {
      throw error;
    });
  }

  /** A question goes out, whose answer has at most so many bytes. */
  begin(bytesMax: number): void {
    this.#bytes = 0;
    this.#bytesMax = bytesMax;
  }

  /** Another question, while one waits for its answer. */
  add(bytesMax: number): void {
    this.#bytesMax = Math.max(this.#bytesMax, bytesMax);
  }

  #take(parser: PacketParser, chunk: Buffer): void {
    if (this.#failed) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax)
      return this.#fail(tooLarge(`the source has sent more than ${this.#bytesMax} bytes for one answer`));
    try {
      parser.execute(chunk);
    } catch (error) {
      return this.#fail(error instanceof AppError ? error : notUnderstood(String(error), error));
    }
    if (parser.bufferLength + parser.largePacketParts.length * partBytes > this.#packetBytesMax)
      return this.#fail(
        tooLarge(`the source sends a packet of more than ${this.#packetBytesMax} bytes`, raisedByProperty),
      );
    const { buffer } = parser;
    if (buffer.length >= piecesMax && buffer.at(-piecesMax)!.length < partBytes / piecesMax) join(buffer);
  }

  #fail(error: Error): void {
    this.#failed = true;
    this.#onError(error);
  }
}

/** The pieces at the end, up to the first that was joined before. */
function join(pieces: Buffer[]): void {
  const joined = Buffer.concat(pieces.splice(-piecesMax));
  pieces.push(joined);
}

/** What we use of mysql2's query command beyond its types: the states that are called for each packet of their kind. */
interface QueryCommand {
  readField: (this: QueryCommand, packet: unknown, connection: unknown) => unknown;
  row: (this: QueryCommand, packet: { isEOF(): boolean }, connection: unknown) => unknown;
  doneInsert: (this: QueryCommand, result: { readonly serverStatus?: number } | null) => unknown;
  readonly _fieldCount: number;
  readonly _resultIndex: number;
}

const moreResults = 8;

/** A query has one result, of no more columns than a table can have. */
export function boundColumns(query: object): void {
  const command = query as QueryCommand;
  const { readField, doneInsert } = command;
  command.readField = function (packet, connection) {
    if (this._resultIndex > 0) throw notUnderstood('more than one result for one question');
    if (!(this._fieldCount <= bounds.sourceColumns.value))
      throw tooLarge(`the source answers with ${this._fieldCount} columns`);
    return readField.call(this, packet, connection);
  };
  command.doneInsert = function (result) {
    if (result && ((result.serverStatus ?? 0) & moreResults) !== 0)
      throw notUnderstood('more than one result for one question');
    return doneInsert.call(this, result);
  };
}

/** And so many values, which are all held. */
export function boundValues(query: object): void {
  boundColumns(query);
  const command = query as QueryCommand;
  const { row } = command;
  let values = 0;
  const counted: QueryCommand['row'] = function (packet, connection) {
    if (!packet.isEOF() && (values += this._fieldCount) > bounds.sourceAnswerValues.value)
      throw tooLarge(`the source answers with more than ${bounds.sourceAnswerValues.value} values`);
    const next = row.call(this, packet, connection);
    return next === row ? counted : next;
  };
  command.row = counted;
}

/** A packet of some bytes may stand for an event of far more. */
export function eventTooLarge(bytes: number): AppError {
  return tooLarge(`the source sends an event that has ${bytes} bytes when it is inflated`, raisedByProperty);
}

function tooLarge(message: string, more: Pick<AppError, 'hint' | 'place'> = { hint: undefined, place: undefined }) {
  return new AppError('source-answer-too-large', message, more);
}

export function notUnderstood(what: string, cause?: unknown): AppError {
  return new AppError('source-failed', `the answer of the source is not understood: ${what}`, {
    hint: 'is it a server of MySQL or MariaDB that answers there?',
    cause,
  });
}
