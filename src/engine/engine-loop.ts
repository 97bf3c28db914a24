// The engine's loop: the one writer, and the owner of the store's transaction. For each group of whole appends:
//   1. take the group (embedded: what producers have closed; Kafka: what the log's reader has gathered)
//   2. begin
//   3. embedded: write it to the log (seqs and offsets are given here)
//   4. apply append by append: definitions, records, controls (behind a definition come only more of them in its group: what topics
//      there are is settled before anything is written to them)
//   5. write what queries derived for their topics
//   6. commit: log, rows, feed, catalogue, frontier and positions together
//   7. answer local waiters, tell the main thread, confirm to the producers
// A crash before 6 has happened leaves nothing of the group (embedded: the source sends it again behind the stored position; Kafka:
// it is read again behind the frontier). A crash between 6 and 7 leaves it applied; a producer that is opened again learns so from
// its position. When a query, a source, a build or a definition fails in 4 everything is rolled back, what came before the append that
// fails is committed, that part stands still from there on (in a transaction of its own), and the rest is applied without it: so where a
// part stands still does not depend on how appends were grouped. Appends that have one position are for this as one (embedded). An append
// that the log cannot take in 3 is refused, and the rest written without it. Between groups the loop yields to the thread's messages;
// builds get as much time as the commit took, and housekeeping its share (housekeeping.ts). The loop waits for nothing outside: an append
// whose application needs what is still being read of the log is held, with all behind it, and everything else goes on.
import type { AppendControl } from '../core/append-control.js';
import { assert, errorFields, unreachable } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { Append } from '../core/append.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Builder } from '../projector/builder.js';
import type { Outcome, Projector } from '../projector/projector.js';
import type { SinkTopics } from '../projector/sink-topics.js';
import { isStorageTrouble } from '../sqlite/storage-error.js';
import { PartFailure, type FailedPart, type Runtime } from '../runtime/runtime.js';
import { TopicRefusal } from '../stream/topic-refusal.js';
import type { Frontier, StateWriter } from '../store/state-store.js';
import { Unwritable } from '../stream/unwritable.js';
import type { AppendIntake, TakenAppend } from './engine-log.js';
import type { Housekeeping } from './housekeeping.js';

export interface EngineLoopEnv {
  readonly intake: AppendIntake;
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly projector: Projector;
  readonly builder: Builder;
  readonly sinks: SinkTopics;
  /** The running query that writes a topic. */
  readonly writerOf: (topic: string) => string | undefined;
  /** In the open transaction. */
  readonly noteApplied: (append: Append) => void;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Producers whose commit times say nothing about a source's lag. */
  readonly isLocal: (producer: string) => boolean;
  readonly onCommitted: (appends: readonly Append[], outcomes: ReadonlyMap<number, Outcome>) => void;
  readonly onFatal: (error: unknown) => void;
  readonly housekeeping: Housekeeping;
}

/** Housekeeping is looked at now and then even when nothing comes: things grow old. */
const idleLookMs = 5_000;

/** What is left of a group begins at `from`. */
interface HeldGroup {
  readonly group: readonly TakenAppend[];
  readonly from: number;
  readonly appends: Append[];
}

/** Of a turn while a group waits for steps of a build. */
const heldStepsMs = 10;

/** The frontier of the group in hand, as far as it is applied. */
interface ReachedFrontier extends Frontier {
  seq: number;
  commitTimeUs: number;
  readonly commitTimesUs: Record<string, number>;
  readonly positions: Record<string, string>;
}

export class EngineLoop {
  readonly #env: EngineLoopEnv;
  #stopped = false;
  #wake: (() => void) | undefined;
  #woken = false;
  #ended: Promise<void> = Promise.resolve();
  /** Taken, and waits for what its next append needs: nothing else is taken meanwhile. */
  #held: HeldGroup | undefined;
  /** Appends of the group in hand that were applied without a failure. */
  #applied = 0;
  /** The newest append that was begun. */
  #seq = 0;

  constructor(env: EngineLoopEnv) {
    this.#env = env;
    env.intake.onAvailable(() => this.wake());
    env.sinks.onFull(() => this.#writeDerived());
    env.builder.onRead(() => this.wake());
  }

  start(): void {
    this.#ended = this.#run().catch((error: unknown) => this.#env.onFatal(error));
  }

  /** Something may have become possible: a build began, a producer closed an append. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    this.#woken = true;
    wake?.();
  }

  /** Resolves when the group in hand is committed; nothing is taken after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const startMs = performance.now();
      this.#woken = false;
      const committed = this.#commitGroup();
      const commitMs = performance.now() - startMs;
      const built = this.#build(this.#held ? heldStepsMs : commitMs);
      const restMs = this.#keepHouse(committed, built, commitMs);
      if (restMs === 0) await nextTurn();
      else await this.#available(restMs);
    }
  }

  /** At least one step, and as much time as the commit took: under full load a build would else never reach the end of its tables. */
  #build(budgetMs: number): boolean {
    const startMs = performance.now();
    let built = false;
    while (this.#buildStep()) {
      built = true;
      if (this.#stopped || performance.now() - startMs >= budgetMs) break;
    }
    return built;
  }

  #buildStep(): boolean {
    return this.#ofBuild(() => this.#env.builder.step(), true);
  }

  #isPrepared(control: AppendControl): boolean {
    return this.#ofBuild(() => this.#env.builder.isPrepared(control), true);
  }

  /** Work of a build in transactions of its own. */
  #ofBuild(work: () => boolean, whenFailed: boolean): boolean {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof PartFailure) || isStorageTrouble(error)) throw error;
      this.#env.sinks.discard();
      this.#env.projector.load();
      this.#standStill(error);
      return whenFailed;
    }
  }

  #available(restMs: number): Promise<void> {
    // Between the last look at the queue and here was a turn of promises.
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      // unref: it must not hold the thread.
      const timer = setTimeout(resolve, restMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** In how many ms the next turn follows if nothing comes before. */
  #keepHouse(committed: boolean, built: boolean, commitMs: number): number {
    const { housekeeping } = this.#env;
    if (!committed && !built) return housekeeping.idle() ?? idleLookMs;
    housekeeping.afterCommit(commitMs);
    return 0;
  }

  /** True: something was committed. */
  #commitGroup(): boolean {
    const { intake, builder } = this.#env;
    const held = this.#held ?? { group: intake.take(), from: 0, appends: [] };
    const { group, appends } = held;
    this.#held = undefined;
    let { from } = held;
    const startedAt = from;
    while (from < group.length) {
      const { control } = group[from]!;
      if (control !== undefined && builder.needsPreparation(control) && !this.#isPrepared(control)) {
        this.#held = { group, from, appends };
        return from > startedAt;
      }
      // What a control needs of log and tables is what everything before it has left there.
      const next = group.findIndex((other, i) => i > from && other.control && builder.needsPreparation(other.control));
      const end = next < 0 ? group.length : next;
      appends.push(...this.#commitPart(group.slice(from, end)));
      from = end;
    }
    if (group.length === 0) return false;
    intake.confirm(appends);
    failpoint('engine-after-confirm');
    return true;
  }

  #commitPart(group: readonly TakenAppend[]): readonly Append[] {
    const { intake, sinks, projector } = this.#env;
    const done: Append[] = [];
    for (let rest = intake.withoutRefused(group); rest.length > 0; rest = intake.withoutRefused(rest)) {
      this.#applied = 0;
      try {
        done.push(...this.#applyGroup(rest));
        break;
      } catch (error) {
        if (!(error instanceof PartFailure || error instanceof Unwritable) || isStorageTrouble(error)) throw error;
        sinks.discard();
        projector.load();
        if (error instanceof Unwritable) {
          this.#refuse(error);
          continue;
        }
        // What came before the append that fails is committed first, with the part in it: where a part stands still must not depend
        // on what else was in the group. It may also have been made there.
        let at = intake.cut(rest, this.#applied);
        if (at === 0 && !this.#isStored(error.part)) at = firstCut(intake, rest);
        if (at > 0 && at < rest.length) {
          done.push(...this.#commitPart(rest.slice(0, at)));
          rest = rest.slice(at);
        } else if (at === 0) this.#standStill(error);
        // The append that makes it fails with it: that is refused.
        else this.#standStill(new PartFailure({ kind: 'definition', name: String(this.#seq) }, error.error));
      }
    }
    return done;
  }

  /** Embedded: into the log. A topic that is not there is the failure of the query that writes it. */
  #writeDerived(): void {
    const { intake, sinks, writerOf } = this.#env;
    try {
      intake.writeDerived(sinks.take());
    } catch (error) {
      if (!(error instanceof TopicRefusal)) throw error;
      const query = writerOf(error.topic);
      assert(query !== undefined, `a query writes topic ${error.topic}`);
      // Not of one append: what is gathered for all of them is written at once.
      this.#applied = 0;
      throw new PartFailure({ kind: 'query', name: query }, error);
    }
  }

  #refuse({ append, error }: Unwritable): void {
    const { intake, logger } = this.#env;
    intake.refuse(append, error);
    logger.error('an append is refused', { producer: append.producer, ...errorFields(error) });
  }

  #isStored({ kind, name }: FailedPart): boolean {
    const { catalog, builder } = this.#env;
    switch (kind) {
      case 'query':
        return catalog.query(name) !== undefined;
      case 'source':
        return catalog.find(name) !== undefined;
      case 'build':
        return builder.isBuilding(name);
      case 'definition':
        return true;
      default:
        return unreachable(kind);
    }
  }

  #applyGroup(group: readonly TakenAppend[]): readonly Append[] {
    const { intake, state, projector, metrics, builder, noteApplied, onCommitted } = this.#env;
    failpoint('engine-before-begin');
    const startMs = performance.now();
    let records = 0;
    const reached = copyOf(state.frontier);
    const appends = state.transaction(() => {
      const written = intake.write(group);
      failpoint('engine-after-log-write');
      for (const append of written) {
        this.#advance(reached, append);
        this.#seq = append.seq;
        // What was derived for a topic that the definition drops has its place before it.
        if (projector.defines(append)) this.#writeDerived();
        projector.apply(append, reached);
        noteApplied(append);
        this.#applied++;
        records += append.records.count;
      }
      this.#writeDerived();
      failpoint('engine-after-apply');
      failpoint('engine-before-commit');
      return written;
    }, reached);
    builder.committed();
    builder.applied(appends);
    failpoint('engine-after-commit');
    const pauseMs = performance.now() - startMs;
    for (const table of projector.takeSwapped()) builder.notePause(table, pauseMs);
    onCommitted(appends, projector.takeOutcomes());
    metrics.count('writethrough_engine_commits_total');
    metrics.count('writethrough_engine_appends_total', appends.length);
    metrics.count('writethrough_engine_records_total', records);
    metrics.observe('writethrough_engine_commit_seconds', pauseMs / 1000);
    return appends;
  }

  #advance(reached: ReachedFrontier, { seq, producer, position, commitTimeUs }: Append): void {
    reached.seq = seq;
    reached.commitTimesUs[producer] = Math.max(reached.commitTimesUs[producer] ?? 0, commitTimeUs);
    if (this.#env.isLocal(producer)) return;
    if (position !== null) reached.positions[producer] = position;
    reached.commitTimeUs = Math.max(reached.commitTimeUs, commitTimeUs);
  }

  /** After a rollback, when memory follows the store again: the part that failed is left out from here on. */
  #standStill({ part, error }: PartFailure): void {
    const { state, runtime, projector, builder, logger, metrics } = this.#env;
    const { code, message, detail } = error;
    if (code === 'corrupt-data') metrics.count('writethrough_corrupt_data_total');
    if (part.kind === 'definition') {
      projector.refuse(Number(part.name), error);
      const level = code === 'internal' ? 'error' : 'debug';
      return logger[level]('a definition is refused', { seq: part.name, code, error: message, detail });
    }
    const stopped = state.transaction(() => {
      const ids = part.kind === 'build' ? builder.fail(part.name, error) : runtime.detachFailed(part, error);
      builder.abandon(ids);
      return ids;
    });
    builder.committed();
    projector.load();
    logger.error('a part failed and stands still', { ...part, stopped, code, error: message, detail });
  }
}

function copyOf(frontier: Frontier): ReachedFrontier {
  return { ...frontier, commitTimesUs: { ...frontier.commitTimesUs }, positions: { ...frontier.positions } };
}

/** The first part of a group that may be committed alone; all of it where that is impossible. */
function firstCut(intake: AppendIntake, group: readonly TakenAppend[]): number {
  let at = 1;
  while (at < group.length && intake.cut(group, at) !== at) at++;
  return at;
}

/** Lets the thread's messages in between two groups. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
