// Records that queries derived, on their way to Kafka: kept in the store with the commit that made them, sent behind it in the order of
// their numbers (core/derived.ts), dropped when they are durable there. The sink producer's position is the number of the last group
// that is out. It is read when sending begins, behind the fencing, and nothing up to it is kept or sent again: so a crash between any
// two steps, a fresh data folder, a restored one and another process never send a group twice, nor leave one out.
//   add        in the engine's transaction: a group is there exactly when its append is applied
//   send       takes groups in order; may begin and end at any time (who leads, sends)
//   refused    a topic cannot be written: `onRefused` tells the log, and when that is applied `refuse` leaves its records out; what
//              the same groups have for other topics goes out under the same numbers. Until then nothing is sent.
//   drop       what is out, in bounded steps
// Over `bytesMax` the outbox is full: the engine takes no further appends until there is room, so the log keeps what waits. Only while
// a topic is refused it goes on, because what will leave the topic's records out is an append too.
import { createBackoff, delay } from '../core/backoff.js';
import { isBehind, nothingDerived, type DerivedGroup, type DerivedNumber } from '../core/derived.js';
import { AppError } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Metrics } from '../core/metrics.js';
import { RecordSet, withoutTopics } from '../core/record.js';
import type { OutboxStore, OutboxTotals } from '../store/outbox-store.js';
import { TopicRefusal } from '../stream/topic-refusal.js';

/** Where groups go. */
export interface OutboxTarget {
  /** The number of the last group that is out. */
  readonly position: DerivedNumber;
  /** Takes groups in order; resolves when there is room for more. Rejects with TopicRefusal where one topic is the cause. */
  write(group: DerivedGroup): Promise<void>;
  /** Called in order with the number up to which groups are durable. */
  onDurable(listener: (number: DerivedNumber) => void): void;
  /** Resolves with the cause when it takes nothing more; what is not durable by then is not known to be out. */
  readonly ended: Promise<AppError>;
  close(): Promise<void>;
}

export interface OutboxEnv {
  readonly store: OutboxStore;
  /** Fences whoever sends, and tells where they stood. */
  readonly openTarget: () => Promise<OutboxTarget>;
  /** Resolves when the topic is no longer being made, or the signal aborts. */
  readonly ready: (topic: string, signal: AbortSignal) => Promise<void>;
  /** Resolves when it is applied that the topic's records are left out from here on. */
  readonly onRefused: (refusal: TopicRefusal) => Promise<void>;
  /** Sending has ended for good. */
  readonly onError: (error: unknown) => void;
  /** There may be room again, or something to drop. */
  readonly onRoom: () => void;
  readonly bytesMax: number;
}

export interface OutboxStatus extends OutboxTotals {
  readonly bytesMax: number;
  readonly sending: boolean;
  readonly full: boolean;
}

export function gaugeOutbox(metrics: Metrics, { entries, bytes, oldestMs }: OutboxStatus, nowMs: number): void {
  metrics.gauge('writethrough_outbox_entries', entries);
  metrics.gauge('writethrough_outbox_bytes', bytes);
  metrics.gauge('writethrough_outbox_age_seconds', oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs) / 1000);
}

const debtOfOut = 0.03;
/** Rows dropped in one step. */
const dropStep = 1000;
/** What is out is dropped together with what comes meanwhile, except where room is needed. */
const dropIntervalMs = 1000;
/** So often a topic has to be missing, with so long between, before it counts as gone: a cluster that starts may not know it yet. */
const missingTimes = 3;
const missingPauseMs = 300;

/** A group that says only where the derived records stand. */
const nothingOf = {
  commitTimeUs: 0,
  records: new RecordSet({ buffers: [], topics: [], extents: new Int32Array(0), count: 0 }),
};

interface Sending {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class Outbox {
  readonly #env: OutboxEnv;
  /** Everything up to here is durable at the target. */
  #out: DerivedNumber = nothingDerived;
  #sending: Sending | undefined;
  #refusing = false;
  #dropped: DerivedNumber = nothingDerived;
  #droppedAtMs = 0;
  #tellsAgain = false;
  #more: (() => void) | undefined;
  #target: OutboxTarget | undefined;
  /** The last group that the open target was given. */
  #given: DerivedNumber = nothingDerived;
  #settling: (() => void)[] = [];

  constructor(env: OutboxEnv) {
    this.#env = env;
  }

  get full(): boolean {
    return this.#env.store.totals.bytes >= this.#env.bytesMax && !this.#refusing;
  }

  get status(): OutboxStatus {
    const { store, bytesMax } = this.#env;
    return { ...store.totals, bytesMax, sending: this.#sending !== undefined, full: this.full };
  }

  /** In the open transaction. */
  add(groups: readonly DerivedGroup[]): void {
    for (const group of groups) if (isBehind(group, this.#out)) this.#env.store.add(group);
  }

  /** In the open transaction, at the append that says so: records of the topic up to this seq are not sent. */
  refuse(topic: string, upToSeq: number): void {
    this.#env.store.refuse({ topic, upToSeq });
  }

  /**
   * Resolves when what the target was given until now is out, or the target is closed: nothing of it reaches a topic any more. A record on
   * its way knows its topic by name only, so a topic is not deleted before, else it may end in a later one of that name.
   */
  async settled(): Promise<void> {
    const [target, given] = [this.#target, this.#given];
    while (target !== undefined && this.#target === target && isBehind(given, this.#out))
      await new Promise<void>((resolve) => this.#settling.push(resolve));
  }

  #settle(): void {
    const settling = this.#settling;
    this.#settling = [];
    for (const resolve of settling) resolve();
  }

  /** The transaction is committed: there may be more to send. */
  committed(): void {
    const more = this.#more;
    this.#more = undefined;
    more?.();
  }

  /** Somebody else sends, and has come so far. */
  noteOut(number: DerivedNumber): void {
    if (!isBehind(number, this.#out)) return;
    this.#out = number;
    this.#settle();
    if (this.full || performance.now() - this.#droppedAtMs > dropIntervalMs) this.#env.onRoom();
  }

  /** Begins to send; resolves when the position is known. Rejects where the target cannot be opened. */
  async startSending(): Promise<void> {
    if (this.#sending !== undefined) return;
    const stop = new AbortController();
    let opened: (() => void) | undefined;
    let failed: ((error: unknown) => void) | undefined;
    const open = new Promise<void>((resolve, reject) => {
      opened = resolve;
      failed = reject;
    });
    const ended = this.#send(stop.signal, opened!).catch((error: unknown) => {
      failed!(error);
      if (!stop.signal.aborted) this.#env.onError(error);
    });
    this.#sending = { stop, ended };
    await open;
  }

  /** Lets the target have the position anew, behind what is in the log by now: earlier records of it may be given up. */
  tellAgain(): void {
    this.#tellsAgain = true;
    this.committed();
  }

  /** Ends sending; what is on its way may still become durable. */
  async stopSending(): Promise<void> {
    const sending = this.#sending;
    if (sending === undefined) return;
    sending.stop.abort();
    this.committed();
    await sending.ended;
    this.#sending = undefined;
  }

  /** As a chore tells it: what is out is there still, and it is time to drop it. */
  debt(): number {
    if (!isBehind(this.#out, this.#dropped)) return 0;
    if (this.full) return 1;
    return performance.now() - this.#droppedAtMs > dropIntervalMs ? debtOfOut : 0;
  }

  /** Drops some of what is out, in a transaction of its own; true when there was something. */
  drop(): boolean {
    const { store } = this.#env;
    const upTo = this.#out;
    const before = store.totals.entries;
    const more = store.dropUpTo(upTo, dropStep);
    if (!more) {
      this.#dropped = upTo;
      this.#droppedAtMs = performance.now();
    }
    return more || store.totals.entries < before;
  }

  async #send(signal: AbortSignal, opened: () => void): Promise<void> {
    const missing = new Map<string, number>();
    const backoff = createBackoff({ initialMs: 100, maxMs: 5000 });
    while (!signal.aborted) {
      const target = await this.#env.openTarget();
      this.#target = target;
      this.#given = target.position;
      const refusals = this.#env.store.refusals();
      try {
        this.noteOut(target.position);
        target.onDurable((number) => {
          missing.clear();
          backoff.reset();
          this.noteOut(number);
        });
        opened();
        await this.#sendTo(target, signal);
      } catch (error) {
        if (signal.aborted) return;
        // A topic that was dropped meanwhile, maybe to be made anew: its records are left out when the rest is sent again.
        if (error instanceof TopicRefusal && this.#env.store.refusals().get(error.topic) !== refusals.get(error.topic))
          missing.delete(error.topic);
        else if (error instanceof TopicRefusal) await this.#refused(error, missing, signal);
        else if (error instanceof AppError && error.retriable) await backoff.wait(signal);
        else throw error;
      } finally {
        // It may have failed before: then closing tells the same again.
        await target.close().catch(() => {});
        this.#target = undefined;
        this.#settle();
      }
    }
  }

  async #sendTo(target: OutboxTarget, signal: AbortSignal): Promise<void> {
    const { store } = this.#env;
    let failure: AppError | undefined;
    void target.ended.then((error) => {
      failure = error;
      this.committed();
    });
    for (let at = target.position; !signal.aborted;) {
      if (failure !== undefined) throw failure;
      if (this.#tellsAgain) {
        this.#tellsAgain = false;
        if (isBehind(at, nothingDerived)) await target.write({ ...nothingOf, seq: at.seq, piece: at.piece });
      }
      const group = store.next(at);
      if (group === undefined) {
        await new Promise<void>((resolve) => (this.#more = resolve));
        continue;
      }
      failpoint('outbox-before-produce');
      for (const topic of group.records.topics) await this.#env.ready(topic, signal);
      const refusals = store.refusals();
      const refused = group.records.topics.filter((topic) => (refusals.get(topic) ?? -1) >= group.seq);
      // A group of which nothing is left is written too: the position moves with it.
      const records = withoutTopics(group.records, refused);
      this.#given = group;
      await target.write({ ...group, records });
      failpoint('outbox-after-produce');
      at = group;
    }
  }

  async #refused(refusal: TopicRefusal, missing: Map<string, number>, signal: AbortSignal): Promise<void> {
    const { topic, code } = refusal;
    const times = (missing.get(topic) ?? 0) + 1;
    missing.set(topic, times);
    if (code === 'unknown-topic' && times < missingTimes) return delay(missingPauseMs, signal);
    this.#refusing = true;
    this.#env.onRoom();
    try {
      await this.#env.onRefused(refusal);
    } finally {
      this.#refusing = false;
      missing.delete(topic);
    }
  }
}
