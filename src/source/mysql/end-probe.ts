// Asks the server, on the control connection, where its binlog ends: once the stream has passed that place, everything that had been
// committed when the question went out is here. That alone says that nothing is on its way, which a dry queue or a heartbeat cannot:
// both may be late by as much as the network is. One question, or one answer that is not reached yet, at a time.
import { systemClock } from '../../core/clock.js';
import { AppError, toAppError } from '../../core/errors.js';
import type { Session } from './connection.js';
import { MariadbPosition } from './mariadb-gtid.js';
import type { FileOffset } from './position.js';
import { binlogEnd, type Server } from './server.js';
import type { TransactionReader } from './transaction-reader.js';
import type { Wakeup } from './wakeup.js';

/** Between two questions while something comes, and while nothing does. */
const busyMs = 100;
const restMs = 400;

type End =
  { readonly kind: 'gtids'; readonly gtids: MariadbPosition } | { readonly kind: 'place'; readonly place: FileOffset };

export class EndProbe {
  readonly #session: Session;
  readonly #server: Server;
  readonly #wakeup: Wakeup;
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking = false;
  #answer: { readonly askedMs: number; readonly end: End } | undefined;
  #failure: AppError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Something has come since the last question. */
  #busy = true;
  #atRest = false;

  constructor(session: Session, server: Server, wakeup: Wakeup) {
    this.#session = session;
    this.#server = server;
    this.#wakeup = wakeup;
  }

  /** Something has come. */
  moved(): void {
    this.#busy = true;
    this.#atRest = false;
  }

  /** True when nothing has come since the question that was confirmed last. */
  get atRest(): boolean {
    return this.#atRest;
  }

  /**
   * Called again and again, when everything that was read has been handed over. The moment (our monotonic clock) up to which all is
   * here, when that has become known since the last call. Throws what the control connection failed with.
   */
  step(reader: TransactionReader): number | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const now = systemClock.monotonicMs();
    const answer = this.#answer;
    let confirmed: number | undefined;
    if (answer !== undefined && hasPassed(reader, answer.end)) {
      this.#answer = undefined;
      confirmed = answer.askedMs;
      this.#atRest = !this.#busy;
    }
    if (!this.#asking && this.#answer === undefined) {
      const dueMs = this.#askedMs + (this.#busy ? busyMs : restMs);
      if (now >= dueMs) void this.#ask(now);
      else this.#arm(dueMs - now);
    }
    return confirmed;
  }

  #arm(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#wakeup.notify();
    }, ms).unref();
  }

  async #ask(now: number): Promise<void> {
    this.#asking = true;
    this.#askedMs = now;
    this.#busy = false;
    try {
      const end = await askEnd(this.#session, this.#server);
      this.#answer = { askedMs: now, end };
    } catch (error) {
      this.#failure = toAppError(error);
    }
    this.#asking = false;
    if (!this.#closed) this.#wakeup.notify();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}

/** MariaDB's stream tells no place before its first event, MySQL's set of GTIDs may hold some that no binlog has. */
async function askEnd(session: Session, server: Server): Promise<End> {
  if (server.position === 'mariadb-gtid') {
    const { gtids } = await session.one('SELECT @@GLOBAL.gtid_binlog_pos AS gtids');
    return { kind: 'gtids', gtids: MariadbPosition.parse(gtids ?? '') };
  }
  const place = await binlogEnd(session, server);
  if (place) return { kind: 'place', place };
  throw new AppError('source-misconfigured', 'the source has no binary log', { hint: 'start it with --log-bin' });
}

/** Ends of groups only are asked for, so a place inside of a later group is behind them all the same. */
function hasPassed(reader: TransactionReader, end: End): boolean {
  if (end.kind === 'place') return reader.reached(end.place);
  const { position } = reader;
  return position.kind === 'mariadb-gtid' && position.gtids.contains(end.gtids);
}
