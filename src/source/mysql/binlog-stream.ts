// The replication connection: zongji brings it up (connection, GTID or file position, dump command), and from there on each raw
// event is taken before zongji would decode it. Events wait in a queue that is bounded in bytes: when the reader does not keep
// up, the socket is paused. Checksums are verified, heartbeats asked for, and silence ends the connection with an error.
import ZongJi from '@vlasky/zongji';
import type { Connection } from 'mysql2';
import { isAbort } from '../../core/backoff.js';
import { AppError } from '../../core/errors.js';
import { checksumOf, eventType, header, headerSize } from './binlog-event.js';
import { bounds } from '../../core/bounds.js';
import { AnswerGuard, boundColumns, notUnderstood } from './answer-bounds.js';
import { otherServer, serverSql, type ResolvedOptions } from './connection.js';
import type { MysqlConfig } from './config.js';
import { expired, progressBytes } from './deadline.js';
import { EventQueue } from './event-queue.js';
import type { StreamPosition } from './position.js';
import type { Server } from './server.js';
import { sourceError } from './source-error.js';
import type { Wakeup } from './wakeup.js';

/** Of events that wait to be read: some socket buffers. More of them would only outlive the collector's young generation. */
const queueBytesMax = 512 << 10;
const queueBytesResume = 128 << 10;
const heartbeatMs = 250;
/** Nothing for so many heartbeats means a connection that is dead without knowing it. */
const silenceMs = 10_000;

/** What we use of mysql2's connection beyond its types. */
interface RawConnection {
  handlePacket: (packet?: RawPacket) => void;
  _command: object | null;
  sequenceId: number;
  readonly stream: { readonly bytesRead: number; pause(): void; resume(): void };
  query: (this: RawConnection, sql: string, done: Answered) => object;
}

type Answered = (error: Error | null, rows?: unknown) => void;

interface RawPacket {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly sequenceId: number;
  isError(): boolean;
  asError(encoding: string): Error;
}

/** What zongji asks on its second connection has a row, which it reads without looking. */
function onlyRows(connection: RawConnection): void {
  const { query } = connection;
  connection.query = function (sql, done) {
    return query.call(this, sql, (error, rows) => {
      if (error === null && !(Array.isArray(rows) && rows.length > 0)) done(notUnderstood(`no row for ${sql}`));
      else done(error, rows);
    });
  };
}

export interface BinlogStreamOptions {
  readonly connection: ResolvedOptions;
  readonly server: Server;
  readonly from: StreamPosition;
  readonly serverId: number;
  readonly config: MysqlConfig;
  readonly wakeup: Wakeup;
  readonly signal: AbortSignal;
}

export class BinlogStream {
  readonly #zongji: ZongJi;
  readonly #wakeup: Wakeup;
  readonly #user: string;
  #raw: RawConnection | undefined;
  readonly #queue = new EventQueue();
  #paused = false;
  #closed = false;
  #failure: AppError | undefined;
  #checksum: boolean | undefined;
  /** The last sign of life: a packet, or a good part of one that takes long to come whole. */
  #lastSignMs = performance.now();
  #tookPacket = false;
  /** When there was one. */
  #bytesRead = 0;
  #watchdog: NodeJS.Timeout | undefined;

  private constructor(options: BinlogStreamOptions) {
    this.#zongji = new ZongJi({ ...options.connection.driver });
    this.#wakeup = options.wakeup;
    this.#user = options.config.user;
  }

  /** Resolves when the dump has been asked for; what the server refuses then comes as the failure of `next`. */
  static async open(options: BinlogStreamOptions): Promise<BinlogStream> {
    const stream = new BinlogStream(options);
    try {
      await stream.#start(options);
    } catch (error) {
      await stream.close();
      throw isAbort(error) ? error : sourceError(error, 'starting to read the binlog', options.config.user);
    }
    return stream;
  }

  #start(options: BinlogStreamOptions): Promise<void> {
    const { connection, server, from, serverId, config, signal } = options;
    // For the server to take the command.
    const deadline = config.deadlines.short;
    // MariaDB sends the text of statements only where it is asked for.
    const annotated = config.includeQuery;
    const zongji = this.#zongji;
    let timer: NodeJS.Timeout | undefined;
    let onAbort = () => {};
    return new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(expired(deadline, 'beginning to send its binlog')), deadline.ms);
      onAbort = () => reject(new DOMException('stopped', 'AbortError'));
      signal.throwIfAborted();
      signal.addEventListener('abort', onAbort, { once: true });
      zongji.on('error', (error) => {
        this.#fail(error);
        reject(error);
      });
      zongji.on('ready', () => {
        this.#hook(server, connection.server, streaming);
        resolve();
      });
      // No event reaches zongji, so its filters and its decoding are never asked.
      zongji.start(
        from.kind === 'file'
          ? { serverId, requestAnnotateRows: annotated, filename: from.at.file, position: from.at.offset }
          : { serverId, requestAnnotateRows: annotated, gtidSet: from.gtids.toString() },
      );
      const guard = (made: Connection) => {
        const guarded = new AnswerGuard(made, config.packetBytesMax, (error) => {
          made.destroy();
          this.#fail(error);
          reject(error);
        });
        guarded.begin(bounds.sourceLoginBytes.value);
        return guarded;
      };
      const { connection: stream, ctrlConnection: control } = zongji as unknown as Record<string, Connection>;
      guard(control!);
      onlyRows(control as unknown as RawConnection);
      const streaming = guard(stream!);
    }).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
  }

  /** Called in `ready`, just before zongji queues the dump command: statements queued here run first. */
  #hook(server: Server, only: string | undefined, guard: AnswerGuard): void {
    const raw = this.#zongji.connection as unknown as RawConnection;
    this.#raw = raw;
    const ask = (sql: string, use: (rows: unknown) => void) => {
      boundColumns(
        raw.query(sql, (error, rows) => {
          if (error) this.#fail(error);
          else use(rows);
        }),
      );
    };
    const set = (sql: string) => ask(sql, () => {});
    ask(serverSql, (rows) => {
      if (only !== undefined && String((rows as { server: unknown }[])[0]?.server) !== only) this.#fail(otherServer());
    });
    set(`SET @master_heartbeat_period = ${heartbeatMs * 1_000_000}`);
    if (!server.mariadb) set(`SET @source_heartbeat_period = ${heartbeatMs * 1_000_000}`);
    // A transaction that we have read and it has not, though later ones of the same server: MariaDB would go on behind the gap.
    if (server.mariadb) set('SET @slave_gtid_strict_mode = 1');
    // Whatever the server writes: a file without checksums says so itself, and is read all the same.
    set("SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32'");
    // While the socket is paused the server waits in a write: longer than its default minute.
    set('SET SESSION net_write_timeout = 86400');

    const dump = this.#zongji as unknown as { BinlogClass: new () => object };
    const original = raw.handlePacket;
    let isDumping = false;
    raw.handlePacket = (packet) => {
      if (!packet || !(raw._command instanceof dump.BinlogClass)) {
        original.call(raw, packet);
        return;
      }
      if (!isDumping) guard.begin(Number.POSITIVE_INFINITY);
      isDumping = true;
      // The sequence is counted by no one else now; keep it right for whatever mysql2 does at the end.
      raw.sequenceId = (packet.sequenceId + 1) & 0xff;
      this.#take(packet);
    };
    this.#watchdog = setInterval(() => this.#watch(), heartbeatMs * 4);
    this.#watchdog.unref();
  }

  #take(packet: RawPacket): void {
    if (this.#failure || this.#closed) return;
    this.#tookPacket = true;
    const marker = packet.buffer[packet.start + 4]!;
    if (marker === 0xff) return this.#fail(packet.asError('utf8'));
    if (marker !== 0) {
      return this.#fail(new AppError('source-unreachable', 'the source ended its binlog stream', { retriable: true }));
    }
    const { buffer, end } = packet;
    const start = packet.start + 5;
    // Where an event has its type; a shorter one fails below.
    if (buffer[start + 4] === eventType.formatDescription) {
      // Its checksum algorithm stands before its own checksum: 0 none, 1 CRC32.
      this.#checksum = buffer[end - 5] === 1;
    }
    // Before the first description only a made-up rotate event can come, with or without a checksum: it is tried.
    const eventEnd = this.#checksum === false ? end : this.#checkedEnd(buffer, start, end);
    if (eventEnd < 0) return;
    if (eventEnd - start < headerSize)
      return this.#fail(new AppError('corrupt-binlog', 'an event is shorter than its header'));
    const queue = this.#queue;
    queue.push(buffer, start, eventEnd);
    if (!this.#paused && queue.bytes > queueBytesMax) {
      this.#paused = true;
      this.#raw!.stream.pause();
    }
    if (queue.length === 1) this.#wakeup.notify();
  }

  /** Where the event ends without its checksum; -1: that does not fit, and the stream has failed. */
  #checkedEnd(buffer: Buffer, start: number, end: number): number {
    const eventEnd = end - 4;
    if (eventEnd - start >= headerSize && checksumOf(buffer, start, eventEnd) === buffer.readUInt32LE(eventEnd))
      return eventEnd;
    if (this.#checksum === undefined || end - start < headerSize) return end;
    const event = buffer.subarray(start, end);
    const message = `an event of type ${header.type(event)} failed its checksum at offset ${header.nextOffset(event)}`;
    this.#fail(new AppError('corrupt-binlog', message));
    return -1;
  }

  /** The next event, undefined when none is here; throws what ended the stream, once the queue is empty. */
  next(): Buffer | undefined {
    const event = this.#queue.next();
    if (event === undefined && this.#failure) throw this.#failure;
    if (this.#paused && this.#queue.bytes < queueBytesResume) {
      this.#paused = false;
      this.#lastSignMs = performance.now();
      this.#raw!.stream.resume();
    }
    return event;
  }

  get drained(): boolean {
    return this.#queue.length === 0;
  }

  #watch(): void {
    const { bytesRead } = this.#raw!.stream;
    if (this.#paused || this.#tookPacket || bytesRead - this.#bytesRead >= progressBytes) {
      this.#tookPacket = false;
      this.#bytesRead = bytesRead;
      this.#lastSignMs = performance.now();
    }
    if (performance.now() - this.#lastSignMs < silenceMs) return;
    this.#fail(
      new AppError('source-unreachable', `the source has been silent for ${silenceMs / 1000} s`, { retriable: true }),
    );
  }

  #fail(error: Error): void {
    if (this.#failure || this.#closed) return;
    this.#failure = sourceError(error, 'sending its binlog', this.#user);
    this.#wakeup.notify();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watchdog);
    this.#queue.clear();
    const zongji = this.#zongji;
    zongji.removeAllListeners('error');
    zongji.on('error', () => {});
    await new Promise<void>((resolve) => {
      zongji.once('stopped', () => resolve());
      zongji.stop();
    });
  }
}
