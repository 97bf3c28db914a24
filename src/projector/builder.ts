// Drives the builds (build.ts): fills new versions of tables in bounded steps between the engine's commits, then publishes a created
// one or compares and swaps a rebuilt one. Order of a rebuild, and what a crash between any two leaves behind:
//   1. save the build document, create the hidden version           crash: the build goes on behind its last step
//   2. fill (scan or replay), cursor saved with each step           crash: as above
//   3. caught up: the version follows live changes in lock-step     crash: filling is over, lock-step is taken up again
//   4. compare old and new in key order, remember the differing keys  crash: compared again from the start
//   5. append the control record `rebuild-swapped`                  crash before: 4 again; after: the swap is applied at its seq
//   6. apply it: emit the true differences, flip the view, forget the document   one transaction
//   7. empty the old version in steps, drop it                      crash: an ownerless version is dropped at the next start
// The old version serves and is fed until 6, so a failure anywhere before leaves it untouched.
import { nameKey, type Catalog, type SourceEntry } from '../catalog/catalog.js';
import { AppError, assert, toAppError } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Logger } from '../core/logger.js';
import type { Append } from '../core/record.js';
import type { Cursor } from '../runtime/cursor.js';
import { RunningQuery } from '../runtime/running-query.js';
import type { Runtime } from '../runtime/runtime.js';
import type { SourceNode } from '../runtime/source-node.js';
import type { TableNode } from '../runtime/table-node.js';
import type { StateWriter } from '../store/state-store.js';
import { cursorLast, cursorsToDocument, loadBuilds, removeBuild, saveBuild, type BuildDocument } from './build.js';
import { VersionGarbage } from './version-garbage.js';
import { VersionComparison } from './version-comparison.js';
import type { RebuildProgress } from './statement-facade.js';

/** Rows per scan step and per comparison step: a few ms of work, so that live changes never wait long. */
const rowsPerStep = 1000;

export interface BuilderEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** Whole appends behind a seq that hold records of the topic. */
  readonly readLog: (after: number, topic: string) => AsyncIterable<readonly Append[]>;
  /** Appends the swap to the log; resolves when it is applied. */
  readonly appendSwap: (table: string, version: number) => Promise<void>;
  /** Called when a created version is complete, in the open transaction. */
  readonly onCreated: (table: string) => void;
}

interface Active {
  document: BuildDocument;
  readonly entry: SourceEntry;
  readonly target: TableNode;
  readonly query: RunningQuery | undefined;
  readonly querySources: readonly string[];
  readonly cursors: Map<string, Cursor>;
  /** replay: the node that decodes the topic into the new version. */
  readonly replay: SourceNode | undefined;
  /** replay: the open iteration. */
  iterator: AsyncIterator<readonly Append[]> | undefined;
  comparison: VersionComparison | undefined;
  swapping: boolean;
}

export class Builder {
  readonly #env: BuilderEnv;
  readonly #active = new Map<string, Active>();
  readonly #ended = new Map<string, RebuildProgress>();
  readonly #garbage: VersionGarbage;

  constructor(env: BuilderEnv) {
    this.#env = env;
    this.#garbage = new VersionGarbage(env.state);
  }

  /** Takes up unfinished builds: at start and after a rollback. */
  load(): void {
    this.#active.clear();
    for (const document of loadBuilds(this.#env.state)) this.#activate(document);
  }

  /** Versions that a crash between 6 and 7 left. */
  collectGarbage(): void {
    const building = [...this.#active.values()].map(({ entry, document }) => ({
      id: entry.table!.id,
      version: document.version,
    }));
    this.#garbage.collect(this.#env.catalog, building);
  }

  get busy(): boolean {
    return this.#garbage.waiting || [...this.#active.values()].some((active) => !active.swapping);
  }

  isBuilding(table: string): boolean {
    return this.#active.has(nameKey(table));
  }

  progress(): readonly RebuildProgress[] {
    return [
      ...this.#ended.values(),
      ...[...this.#active.values()]
        .filter((a) => a.document.purpose === 'rebuild')
        .map((a) => progressOf(this.#env, a)),
    ];
  }

  /** Saves the document ahead of `begin`, for who asks whether a table is being created. */
  announce(document: BuildDocument): void {
    saveBuild(this.#env.state, document);
  }

  /** The table is dropped: its build ends with it. In the open transaction. */
  forget(table: string): void {
    const active = this.#active.get(nameKey(table));
    if (!active) return;
    if (active.query) this.#env.runtime.unlisten(active.query);
    this.#unwatch(active);
    this.#active.delete(nameKey(table));
    removeBuild(this.#env.state, active.document.table);
  }

  /** Begins a build inside the open transaction; its rows come by steps. A created table's node runs already, unwired. */
  begin(document: BuildDocument): void {
    const entry = this.#env.catalog.find(document.table)!;
    saveBuild(this.#env.state, document);
    if (document.purpose === 'rebuild') {
      this.#env.state.createTable({
        id: entry.table!.id,
        version: document.version,
        name: entry.name,
        schema: entry.schema,
      });
    }
    this.#ended.delete(nameKey(document.table));
    this.#activate(document);
  }

  #activate(document: BuildDocument): void {
    const { catalog, runtime } = this.#env;
    const entry = catalog.find(document.table);
    assert(entry?.table, `build of ${document.table}, which is no table`);
    const target =
      document.purpose === 'create' ? runtime.table(entry.name) : runtime.tableNode(entry, document.version, false);
    const cursors = new Map<string, Cursor>();
    let query: RunningQuery | undefined;
    let querySources: readonly string[] = [];
    let replay: SourceNode | undefined;
    const stored = entry.writtenBy === null ? undefined : catalog.query(entry.writtenBy);
    if (stored) {
      const compiled = runtime.compile(stored, entry, document.version, (key, after) => target.set(key, after!));
      querySources = compiled.sources;
      for (const source of new Set(compiled.sources)) {
        const saved = document.cursors[source];
        if (saved)
          cursors.set(source, {
            schema: runtime.table(source).spec.schema,
            last: cursorLast(saved.last),
            done: saved.done,
          });
      }
      query = new RunningQuery(stored.id, compiled.topology, document.method === 'scan' ? cursors : undefined);
    }
    if (document.method === 'replay') {
      const topicOwner = stored ? catalog.find(querySources[0]!)! : entry;
      replay = runtime.sourceNode(topicOwner, stored ? undefined : target);
      if (query) replay.listeners.push(query);
    }
    const active: Active = {
      document,
      entry,
      target,
      query,
      querySources,
      cursors,
      replay,
      iterator: undefined,
      comparison: undefined,
      swapping: false,
    };
    this.#active.set(nameKey(document.table), active);
    if (document.method === 'scan' || document.caughtUp) this.#followLive(active);
  }

  #followLive({ document, query, querySources, replay }: Active): void {
    if (query) this.#env.runtime.listen(query, querySources);
    else if (document.caughtUp) this.#env.runtime.listenToTopic(replay!);
  }

  /** One bounded step of one build, in a transaction of its own. False: nothing to do. */
  async step(): Promise<boolean> {
    for (const active of this.#active.values()) {
      if (active.swapping) continue;
      try {
        if (!active.document.caughtUp) await this.#fill(active);
        else if (active.document.purpose === 'rebuild') this.#compareOrSwap(active);
      } catch (error) {
        this.#fail(active, toAppError(error));
      }
      return true;
    }
    return this.#garbage.sweep();
  }

  async #fill(active: Active): Promise<void> {
    if (active.document.method === 'scan') this.#scanStep(active);
    else await this.#replayStep(active);
    failpoint('rebuild-after-chunk');
  }

  /** Inside an open transaction: at most `limit` rows of a build by scan. For small tables at creation. */
  scanNow(table: string, limit: number): void {
    const active = this.#active.get(nameKey(table));
    if (active?.document.method === 'scan') this.#scan(active, limit);
  }

  #scanStep(active: Active): void {
    const { state } = this.#env;
    this.#transaction(() => this.#scan(active, rowsPerStep), state);
  }

  #scan(active: Active, limit: number): void {
    const { runtime, state } = this.#env;
    const { query, cursors } = active;
    let rows = 0;
    runtime.context.seq = state.frontier.seq;
    runtime.context.commitTimeUs = state.frontier.commitTimeUs;
    for (const [source, cursor] of cursors) {
      if (cursor.done) continue;
      const table = runtime.table(source);
      const chunk = table.writer.scan(cursor.last, limit - rows);
      for (const { row, rowtimeMs } of chunk) {
        runtime.context.rowtimeMs = rowtimeMs;
        query!.run(table.name, null, row);
      }
      rows += chunk.length;
      if (chunk.length > 0) cursor.last = table.keyOf(chunk.at(-1)!.row);
      if (chunk.length < limit) cursor.done = true;
      if (rows >= limit) break;
    }
    const caughtUp = [...cursors.values()].every((cursor) => cursor.done);
    this.#save(active, { cursors: cursorsToDocument(cursors), rows: active.document.rows + rows, caughtUp });
    if (caughtUp) {
      query!.cursors = undefined;
      this.#caughtUp(active);
    }
  }

  async #replayStep(active: Active): Promise<void> {
    const { state, readLog } = this.#env;
    active.iterator ??= readLog(active.document.replayedSeq, active.replay!.topic)[Symbol.asyncIterator]();
    const { value: appends, done } = await active.iterator.next();
    const frontier = state.frontier.seq;
    this.#transaction(() => {
      let rows = 0;
      let replayedSeq = active.document.replayedSeq;
      let caughtUp = done === true;
      for (const append of (appends ?? []) as readonly Append[]) {
        // What is behind the frontier (Kafka: already in the log, not yet applied) comes by the live way.
        if (append.seq > frontier) {
          caughtUp = true;
          break;
        }
        rows += this.#replay(active, append);
        replayedSeq = append.seq;
      }
      // The iteration ended at the head of the moment it looked; commits since then are behind it.
      if (caughtUp && done === true && replayedSeq < frontier && this.#advanced(active, replayedSeq, frontier))
        caughtUp = false;
      this.#save(active, {
        replayedSeq: caughtUp ? frontier : replayedSeq,
        rows: active.document.rows + rows,
        caughtUp,
      });
      if (!caughtUp) return;
      this.#followLive(active);
      this.#caughtUp(active);
    }, state);
    if (done === true || active.document.caughtUp) active.iterator = undefined;
  }

  #lastHead = new WeakMap<Active, number>();

  /** Whether the frontier moved since the last look, so that another round over the tail is needed. */
  #advanced(active: Active, replayedSeq: number, frontier: number): boolean {
    const earlier = this.#lastHead.get(active) ?? replayedSeq;
    this.#lastHead.set(active, frontier);
    return earlier !== frontier;
  }

  #replay(active: Active, append: Append): number {
    const { context } = this.#env.runtime;
    context.seq = append.seq;
    context.commitTimeUs = append.commitTimeUs;
    let rows = 0;
    const { records } = append;
    for (let i = 0; i < records.count; i++) {
      if (records.topic(i) !== active.replay!.topic) continue;
      context.rowtimeMs = records.timestamps ? records.timestamps[i]! : Math.floor(append.commitTimeUs / 1000);
      active.replay!.take(records, i);
      rows++;
    }
    return rows;
  }

  #caughtUp(active: Active): void {
    if (active.document.purpose !== 'create') return;
    const { state, runtime } = this.#env;
    removeBuild(state, active.document.table);
    this.#active.delete(nameKey(active.document.table));
    if (active.query) {
      // From here on it is an ordinary running query; the topology compiled for the build has the same states.
      runtime.unlisten(active.query);
      runtime.attachQuery(this.#env.catalog.query(active.query.id)!, this.#env.catalog.find(active.entry.name)!);
    } else runtime.swapSource(active.entry.name, active.replay!);
    this.#env.onCreated(active.entry.name);
  }

  #compareOrSwap(active: Active): void {
    active.comparison ??= new VersionComparison(this.#env.runtime.table(active.entry.name), active.target);
    if (!active.comparison.done) return active.comparison.step(rowsPerStep);
    active.swapping = true;
    failpoint('rebuild-before-swap');
    this.#env
      .appendSwap(active.entry.name, active.document.version)
      .catch((error: unknown) => this.#fail(active, toAppError(error)));
  }

  /** Applies the control record: in the engine's open transaction, at its seq. */
  applySwap(table: string, version: number): void {
    const { state, catalog, runtime } = this.#env;
    const active = this.#active.get(nameKey(table));
    // Another process's swap, or one of a build that has been given up since: the frontier moves, nothing else.
    if (!active || active.document.version !== version) return;
    const entry = catalog.find(table)!;
    const earlier = runtime.table(table);
    // After a restart between the append of the swap and its application nothing is compared yet.
    const comparison = active.comparison ?? new VersionComparison(earlier, active.target);
    while (!comparison.done) comparison.step(rowsPerStep);
    this.#unwatch(active, comparison);
    const differences = comparison.differences();
    runtime.swapTable(table, active.target);
    active.target.feeds = entry.visible;
    if (active.query) {
      runtime.detachQuery(active.query.id);
      runtime.unlisten(active.query);
    } else runtime.swapSource(table, active.replay!);
    catalog.putSource({ ...entry, table: { id: entry.table!.id, version } });
    removeBuild(state, table);
    if (active.query) runtime.attachQuery(catalog.query(active.query.id)!, catalog.find(table)!);
    for (const { before, after } of differences) active.target.emitDifference(before, after);
    if (entry.visible) state.publish(active.target.spec);
    state.feedRebuilt(entry.name, runtime.context.seq);
    this.#garbage.add(earlier.spec);
    this.#active.delete(nameKey(table));
    this.#ended.set(nameKey(table), { ...progressOf(this.#env, active), state: 'done', etaSeconds: 0 });
  }

  /** The engine tells how long the transaction of the swap took. */
  notePause(table: string, pauseMs: number): void {
    const ended = this.#ended.get(nameKey(table));
    if (ended) this.#ended.set(nameKey(table), { ...ended, pauseMs });
  }

  #unwatch(active: Active, comparison = active.comparison): void {
    if (!comparison) return;
    this.#env.runtime.unlisten(comparison.watcher);
    const at = active.target.listeners.indexOf(comparison.watcher);
    if (at >= 0) active.target.listeners.splice(at, 1);
  }

  #fail(active: Active, error: AppError): void {
    const { logger, state, runtime } = this.#env;
    this.#unwatch(active);
    if (active.query) runtime.unlisten(active.query);
    this.#active.delete(nameKey(active.entry.name));
    this.#transaction(() => removeBuild(state, active.entry.name), state);
    if (active.document.purpose === 'rebuild') this.#garbage.add(active.target.spec);
    this.#ended.set(nameKey(active.entry.name), {
      ...progressOf(this.#env, active),
      state: 'failed',
      error: error.message,
    });
    logger.error('build failed', { table: active.entry.name, code: error.code, error: error.message });
  }

  #save(active: Active, change: Partial<BuildDocument>): void {
    active.document = { ...active.document, ...change };
    saveBuild(this.#env.state, active.document);
  }

  #transaction(work: () => void, state: StateWriter): void {
    state.begin();
    try {
      work();
      state.commit(state.frontier);
    } catch (error) {
      state.rollback();
      throw error;
    }
  }
}

function progressOf(
  { state, nowMs, runtime, catalog }: BuilderEnv,
  { document, entry, comparison, swapping }: Active,
): RebuildProgress {
  const seconds = Math.max(0.001, (nowMs() - document.startedMs) / 1000);
  const rowsPerSecond = Math.round(document.rows / seconds);
  const total = catalog.find(entry.name) ? runtime.table(entry.name).writer.rowCount() : document.rows;
  return {
    table: entry.name,
    state: swapping ? 'swapping' : comparison || document.caughtUp ? 'catching-up' : 'building',
    rows: document.rows,
    seq: document.method === 'replay' ? document.replayedSeq : state.frontier.seq,
    headSeq: state.frontier.seq,
    rowsPerSecond,
    etaSeconds: rowsPerSecond === 0 ? null : Math.max(0, Math.round((total - document.rows) / rowsPerSecond)),
  };
}
