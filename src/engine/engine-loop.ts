// The engine's loop: the one writer, and the owner of the store's transaction. For each group of whole appends:
//   1. take the group (embedded: what producers have closed; Kafka: what the log's reader has gathered)
//   2. begin
//   3. embedded: write it to the log (seqs and offsets are given here)
//   4. apply append by append: definitions, records, controls
//   5. write what queries derived for their topics
//   6. commit: log, rows, feed, catalogue, frontier and positions together
//   7. answer local waiters, tell the main thread, confirm to the producers
// A crash before 6 has happened leaves nothing of the group (embedded: the source sends it again behind the stored position; Kafka:
// it is read again behind the frontier). A crash between 6 and 7 leaves it applied; a producer that is opened again learns so from
// its position. When a query, a source, a build or a definition fails in 4 everything is rolled back, that part stands still from then
// on (in a transaction of its own), and the same group is applied again without it. Between groups the loop yields to the thread's messages, and when nothing waits it takes one
// step of a build or of the log's maintenance.
import { assert, unreachable } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { Append } from '../core/record.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Builder } from '../projector/builder.js';
import type { Outcome, Projector } from '../projector/projector.js';
import type { SinkTopics } from '../projector/sink-topics.js';
import { isStorageTrouble } from '../sqlite/storage-error.js';
import { PartFailure, type FailedPart, type Runtime } from '../runtime/runtime.js';
import type { Frontier, StateWriter } from '../store/state-store.js';
import type { AppendFeed } from './engine-log.js';

export interface EngineLoopEnv {
  readonly feed: AppendFeed;
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly projector: Projector;
  readonly builder: Builder;
  readonly sinks: SinkTopics;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Producers whose commit times say nothing about a source's lag. */
  readonly isLocal: (producer: string) => boolean;
  readonly onCommitted: (appends: readonly Append[], outcomes: ReadonlyMap<number, Outcome>) => void;
  readonly onFatal: (error: unknown) => void;
  readonly pruneFeed: () => boolean;
}

const pruneIntervalMs = 5_000;

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
  #pruneAtMs = 0;

  constructor(env: EngineLoopEnv) {
    this.#env = env;
    env.feed.onAvailable(() => this.wake());
    env.sinks.onFull(() => env.feed.writeDerived(env.sinks.take()));
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
      const built = await this.#build(performance.now() - startMs);
      if (!committed && !built && !this.#keepHouse()) await this.#available();
      else await nextTurn();
    }
  }

  /** At least one step, and as much time as the commit took: under full load a build would else never reach the end of its tables. */
  async #build(budgetMs: number): Promise<boolean> {
    const { builder } = this.#env;
    const startMs = performance.now();
    let built = false;
    while (builder.busy && (await this.#buildStep())) {
      built = true;
      if (this.#stopped || performance.now() - startMs >= budgetMs) break;
    }
    return built;
  }

  async #buildStep(): Promise<boolean> {
    try {
      return await this.#env.builder.step();
    } catch (error) {
      if (!(error instanceof PartFailure) || isStorageTrouble(error)) throw error;
      this.#env.sinks.discard();
      this.#env.projector.load();
      this.#standStill(error);
      return true;
    }
  }

  #available(): Promise<void> {
    // Between the last look at the queue and here was a turn of promises.
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      // Housekeeping is looked at now and then even when nothing comes; unref: it must not hold the thread.
      const timer = setTimeout(resolve, pruneIntervalMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #keepHouse(): boolean {
    const now = performance.now();
    if (now >= this.#pruneAtMs) {
      if (this.#env.pruneFeed()) return true;
      this.#pruneAtMs = now + pruneIntervalMs;
    }
    return this.#env.feed.maintain();
  }

  #commitGroup(): boolean {
    const { feed } = this.#env;
    const group = feed.take();
    if (group.length === 0) return false;
    const appends = this.#commitPart(group);
    feed.confirm(appends);
    failpoint('engine-after-confirm');
    return true;
  }

  #commitPart(group: readonly unknown[]): readonly Append[] {
    const { sinks, projector } = this.#env;
    for (;;) {
      try {
        return this.#applyGroup(group);
      } catch (error) {
        if (!(error instanceof PartFailure) || isStorageTrouble(error)) throw error;
        sinks.discard();
        projector.load();
        if (this.#isStored(error.part)) this.#standStill(error);
        else {
          // It was made by this very group, so it has to be committed before it can stand still.
          const half = this.#env.feed.half(group);
          assert(half < group.length, `${error.part.kind} ${error.part.name} fails in the append that makes it`);
          return [...this.#commitPart(group.slice(0, half)), ...this.#commitPart(group.slice(half))];
        }
      }
    }
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

  #applyGroup(group: readonly unknown[]): readonly Append[] {
    const { feed, state, projector, sinks, metrics, builder, onCommitted } = this.#env;
    failpoint('engine-before-begin');
    const startMs = performance.now();
    let records = 0;
    const reached = copyOf(state.frontier);
    const appends = state.transaction(() => {
      const written = feed.write(group);
      failpoint('engine-after-log-write');
      for (const append of written) {
        this.#advance(reached, append);
        projector.apply(append, reached);
        records += append.records.count;
      }
      feed.writeDerived(sinks.take());
      failpoint('engine-after-apply');
      failpoint('engine-before-commit');
      return written;
    }, reached);
    builder.committed();
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
    const { state, runtime, projector, builder, logger } = this.#env;
    const { code, message, detail } = error;
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

/** Lets the thread's messages in between two groups. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
