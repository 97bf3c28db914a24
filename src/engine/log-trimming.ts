// When the commit topic of Kafka is trimmed, by the process that leads (stream/kafka/commit-trim.ts says how, and what is given up).
// Applying a `log-start` notes its seq and time in the store, on every process, so that a later leader knows them. Order of a trim, and
// what a crash between any two steps leaves:
//   1. append a `log-start`, when something has been appended since the last one     crash: one more of them
//   2. `retentionMs` later: let the derived records tell their position behind it    crash: told once more
//   3. delete the records before it                                                  crash: as done
//   4. forget the notes of those before                                              crash: forgotten after the next trim
// A replay of this process that has not come past the `log-start` is waited for.
import { delay } from '../core/backoff.js';
import { toAppError } from '../core/errors.js';
import type { AppendControl } from '../core/append-control.js';
import type { Logger } from '../core/logger.js';
import { loadBuilds } from '../projector/build.js';
import type { StateWriter } from '../store/state-store.js';
import type { KnownPositions } from '../stream/kafka/kafka-log-options.js';

const documentKind = 'log-start';
const trimmedKind = 'log-trimmed';
/** So many `log-start`s in one retention: what is kept is at most a part of it longer. */
const startsPerRetention = 8;
/** A process that follows does not see what is trimmed, and may forget the oldest. */
const notesMax = 4 * startsPerRetention;
const waitMsMax = 60_000;

/** The log that can be trimmed. */
export interface TrimmedLog {
  readonly logStart: AppendControl;
  /** False: not yet, because derived records have to tell their position first. */
  trim(seq: number, known: KnownPositions): Promise<boolean>;
}

export interface LogTrimmingEnv {
  readonly state: StateWriter;
  readonly log: TrimmedLog;
  readonly retentionMs: number;
  readonly append: (control: AppendControl) => Promise<void>;
  readonly nowMs: () => number;
  readonly logger: Logger;
}

interface LogStart {
  readonly seq: number;
  readonly timeMs: number;
}

/** In the open transaction: a `log-start` is applied. */
export function noteLogStart(state: StateWriter, start: LogStart): void {
  for (const { seq } of logStarts(state).slice(0, 1 - notesMax)) state.deleteDocument(documentKind, String(seq));
  state.putDocument(documentKind, String(start.seq), JSON.stringify(start));
}

/** Oldest first. */
function logStarts(state: StateWriter): readonly LogStart[] {
  return state
    .documents(documentKind)
    .map(({ json }) => JSON.parse(json) as LogStart)
    .toSorted((a, b) => a.seq - b.seq);
}

export class LogTrimming {
  readonly #env: LogTrimmingEnv;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(env: LogTrimmingEnv) {
    this.#env = env;
    this.#ended = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { retentionMs, logger } = this.#env;
    const waitMs = Math.min(retentionMs / startsPerRetention / 2, waitMsMax);
    while (!signal.aborted) {
      try {
        await this.#append();
        await this.#trim();
      } catch (error) {
        // The brokers are away, or refuse it: nothing is lost, and it is tried again.
        const { code, message, hint } = toAppError(error);
        if (!signal.aborted) logger.warn('the commit topic is not trimmed', { code, error: message, hint });
      }
      await delay(waitMs, signal).catch(() => {});
    }
  }

  async #append(): Promise<void> {
    const { state, retentionMs, nowMs, append, log } = this.#env;
    const last = logStarts(state).at(-1);
    if (last && (state.frontier.seq <= last.seq || nowMs() - last.timeMs < retentionMs / startsPerRetention)) return;
    await append(log.logStart);
  }

  async #trim(): Promise<void> {
    const { state, retentionMs, nowMs, log, logger } = this.#env;
    const starts = logStarts(state);
    const start = starts.findLast(({ timeMs }) => timeMs <= nowMs() - retentionMs);
    if (!start || Number(state.getDocument(trimmedKind, 'seq') ?? 0) >= start.seq) return;
    const replays = loadBuilds(state).filter(({ method, caughtUp }) => method === 'replay' && !caughtUp);
    if (replays.some(({ replayedSeq }) => replayedSeq < start.seq)) return;
    const { seq, positions } = state.frontier;
    if (!(await log.trim(start.seq, { seq, positions }))) return;
    state.transaction(() => {
      for (const each of starts) if (each.seq < start.seq) state.deleteDocument(documentKind, String(each.seq));
      state.putDocument(trimmedKind, 'seq', String(start.seq));
    });
    logger.info('the commit topic was trimmed', { beginsAtSeq: start.seq });
  }
}
