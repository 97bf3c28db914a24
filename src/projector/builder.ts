// Drives the builds (build.ts): fills new versions of tables in bounded steps between the engine's commits, then publishes a created
// one or compares and swaps a rebuilt one. Order of a rebuild, and what a crash between any two leaves behind:
//   1. save the build document, create the hidden version           crash: the build goes on behind its last step
//   2. fill (scan or replay), cursor saved with each step           crash: as above
//   3. caught up: the version follows live changes in lock-step     crash: filling is over, lock-step is taken up again
//   4. compare old and new in key order, remember the suspects      crash: compared again from the start, with no suspects
//   5. append the control record `rebuild-swapped`                  crash before: 4 again; after: the swap is applied at its seq
//   6. apply it: emit the true differences, flip the view, forget the document   one transaction
//   7. empty the old version in steps, drop it                      crash: an ownerless version is dropped at the next start
// The old version serves and is fed until 6, so a failure anywhere before leaves it untouched. What differs passes through 6 a page at a
// time; the engine's pause there grows with it, because all of it becomes visible in one commit.
import type { Catalog, QueryEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { assert, toAppError, type AppError } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Logger } from '../core/logger.js';
import type { Append } from '../core/record.js';
import { QueryFailure } from '../runtime/running-query.js';
import { PartFailure, partFailure, type Runtime } from '../runtime/runtime.js';
import type { StateWriter, TableSpec } from '../store/state-store.js';
import { activateBuild, progressOf, type ActiveBuild } from './active-build.js';
import { cursorsToDocument, loadBuilds, removeBuild, saveBuild, type BuildDocument } from './build.js';
import type { RebuildProgress } from './statement-facade.js';
import { suspectState, VersionComparison } from './version-comparison.js';
import { VersionGarbage } from './version-garbage.js';

/** Rows per scan step and per comparison step: a few ms of work, so that live changes never wait long. */
const rowsPerStepDefault = 1000;

export interface BuilderEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** Whole appends behind a seq that hold records of the topic. */
  readonly readLog: (after: number, topic: string) => AsyncIterable<readonly Append[]>;
  /** Appends the swap to the log; resolves when it is applied. Undefined: another process does, and this one waits for it. */
  readonly appendSwap: ((table: string, version: number) => Promise<void>) | undefined;
  /** Called when a created version is complete, in the open transaction. */
  readonly onCreated: (name: string) => void;
  /** Writes what a step derived for the topics of sinks, in the step's own transaction. */
  readonly writeDerived: () => void;
  /** A step is committed: there may be more to checkpoint, though nothing was appended. */
  readonly onStep: () => void;
  readonly rowsPerStep?: number | undefined;
}

export class Builder {
  readonly #env: BuilderEnv;
  readonly #active = new Map<string, ActiveBuild>();
  readonly #ended = new Map<string, RebuildProgress>();
  readonly #garbage: VersionGarbage;
  readonly #rowsPerStep: number;
  /** What the open transaction leaves without an owner: garbage once it is committed, nothing if it is rolled back. */
  #leftBehind: (readonly [TableSpec | undefined, readonly string[] | undefined])[] = [];
  /** The frontier at a replay's last look at the end of the log. */
  readonly #lastHead = new WeakMap<ActiveBuild, number>();

  constructor(env: BuilderEnv) {
    this.#env = env;
    this.#garbage = new VersionGarbage(env.state);
    this.#rowsPerStep = env.rowsPerStep ?? rowsPerStepDefault;
  }

  /** Takes up unfinished builds: at start and after a rollback. */
  load(): void {
    this.#active.clear();
    this.#leftBehind = [];
    for (const document of loadBuilds(this.#env.state)) {
      this.#ended.delete(nameKey(document.table));
      this.#activate(document);
    }
  }

  /** The transaction in which builds have ended is committed. */
  committed(): void {
    if (this.#leftBehind.length === 0) return;
    for (const [spec, stateNames] of this.#leftBehind) this.#garbage.add(spec, stateNames);
    this.#leftBehind = [];
  }

  /** Versions that a crash between 6 and 7 left. */
  collectGarbage(): void {
    const building = [...this.#active.values()].flatMap(({ entry, document }) =>
      entry.table ? [{ id: entry.table.id, version: document.version }] : [],
    );
    this.#garbage.collect(this.#env.catalog, building);
  }

  get busy(): boolean {
    return this.#garbage.waiting || [...this.#active.values()].some((active) => !this.#waitsForSwap(active));
  }

  #waitsForSwap({ swapping, document }: ActiveBuild): boolean {
    return swapping || (this.#env.appendSwap === undefined && document.caughtUp);
  }

  isBuilding(table: string): boolean {
    return this.#active.has(nameKey(table));
  }

  progress(): readonly RebuildProgress[] {
    const running = [...this.#active.values()].filter(({ document }) => document.purpose === 'rebuild');
    return [...this.#ended.values(), ...running.map((active) => progressOf(this.#env, active))];
  }

  /** Saves the document ahead of `begin`, for who asks whether a table is being created. */
  announce(document: BuildDocument): void {
    saveBuild(this.#env.state, document);
  }

  /** Begins a build inside the open transaction; its rows come by steps. A created table's node runs already, unwired. */
  begin(document: BuildDocument): void {
    const { state, catalog } = this.#env;
    const entry = catalog.find(document.table)!;
    saveBuild(state, document);
    if (document.purpose === 'rebuild') {
      state.createTable({ id: entry.table!.id, version: document.version, name: entry.name, schema: entry.schema });
    }
    this.#ended.delete(nameKey(document.table));
    this.#activate(document);
  }

  /** The table is dropped: its build ends with it. In the open transaction. */
  forget(table: string): void {
    const active = this.#active.get(nameKey(table));
    if (!active) return;
    this.#unhook(active);
    this.#active.delete(nameKey(table));
    removeBuild(this.#env.state, active.document.table);
    if (active.document.purpose !== 'rebuild') return;
    if (active.target) this.#env.state.dropState(suspectState(active.target.spec));
    this.#leftBehind.push([active.target?.spec, active.query?.topology.stateNames]);
  }

  /** A build cannot go on, in the open transaction: a rebuilt table stays as it is, a created one stands still. Queries that do, too. */
  fail(table: string, error: AppError): readonly string[] {
    const { runtime } = this.#env;
    const active = this.#active.get(nameKey(table));
    assert(active, `the build of ${table} that failed is there`);
    const { document, entry } = active;
    this.forget(table);
    this.#ended.set(nameKey(table), { ...progressOf(this.#env, active), state: 'failed', error: error.message });
    if (document.purpose === 'rebuild') return [];
    const part =
      entry.writtenBy === null
        ? ({ kind: 'source', name: entry.name } as const)
        : ({ kind: 'query', name: entry.writtenBy } as const);
    return runtime.detachFailed(part, error);
  }

  /** Queries stand still: nothing is built for them any more. In the open transaction. */
  abandon(queryIds: readonly string[]): void {
    for (const id of queryIds) this.forget(this.#env.catalog.query(id)!.sink);
  }

  #activate(document: BuildDocument): void {
    const active = activateBuild(this.#env, document);
    this.#active.set(nameKey(document.table), active);
    if (document.method === 'scan' || document.caughtUp) this.#followLive(active);
  }

  #followLive({ query, querySources, replay }: ActiveBuild): void {
    if (query) this.#env.runtime.listen(query, querySources);
    else this.#env.runtime.listenToTopic(replay!);
  }

  /** One bounded step of one build, in a transaction of its own. False: nothing to do. Throws PartFailure, after a rollback. */
  async step(): Promise<boolean> {
    for (const active of this.#active.values()) {
      if (this.#waitsForSwap(active)) continue;
      try {
        if (!active.document.caughtUp) await this.#fill(active);
        else this.#compareOrSwap(active);
      } catch (error) {
        if (error instanceof QueryFailure) throw partFailure(error); // of its own query, or of one that reads its table
        if (error instanceof PartFailure) throw error;
        throw new PartFailure({ kind: 'build', name: active.entry.name }, toAppError(error));
      }
      return true;
    }
    return this.#garbage.sweep();
  }

  async #fill(active: ActiveBuild): Promise<void> {
    if (active.document.method === 'scan') this.#transaction(() => this.#scan(active, this.#rowsPerStep));
    else await this.#replayStep(active);
    failpoint('rebuild-after-chunk');
  }

  /** Inside an open transaction: at most `limit` rows of a build by scan. For small tables at creation. */
  scanNow(table: string, limit: number): void {
    const active = this.#active.get(nameKey(table));
    if (active?.document.method === 'scan') this.#scan(active, limit);
  }

  #scan(active: ActiveBuild, limit: number): void {
    const { runtime, state } = this.#env;
    const { query, cursors } = active;
    let rows = 0;
    runtime.context.seq = state.frontier.seq;
    runtime.context.commitTimeUs = state.frontier.commitTimeUs;
    for (const [source, cursor] of cursors) {
      if (cursor.done) continue;
      const table = runtime.table(source);
      const wanted = limit - rows;
      const chunk = table.writer.scan(cursor.last, wanted);
      for (const { row, rowtimeMs } of chunk) {
        runtime.context.rowtimeMs = rowtimeMs;
        query!.run(table.name, null, row);
      }
      rows += chunk.length;
      if (chunk.length > 0) cursor.last = table.keyOf(chunk.at(-1)!.row);
      cursor.done = chunk.length < wanted;
      if (rows >= limit) break;
    }
    const caughtUp = [...cursors.values()].every((cursor) => cursor.done);
    this.#save(active, { cursors: cursorsToDocument(cursors), rows: active.document.rows + rows, caughtUp });
    if (!caughtUp) return;
    query!.cursors = undefined;
    this.#caughtUp(active);
  }

  async #replayStep(active: ActiveBuild): Promise<void> {
    const { state, readLog } = this.#env;
    active.iterator ??= readLog(active.document.replayedSeq, active.replay!.topic)[Symbol.asyncIterator]();
    const { value, done } = await active.iterator.next();
    const appends = (done === true ? [] : value) as readonly Append[];
    this.#transaction(() => {
      const frontier = state.frontier.seq;
      const known = appends.filter(({ seq }) => seq <= frontier);
      let rows = 0;
      for (const append of known) rows += this.#replay(active, append);
      // What is behind the frontier (Kafka: in the log already, not yet applied) comes by the live way. At the end of the log one more
      // look is needed when there were commits since the last one.
      const atEnd = known.length < appends.length || (done === true && this.#lastHead.get(active) === frontier);
      if (done === true) this.#lastHead.set(active, frontier);
      const replayedSeq = atEnd ? frontier : (known.at(-1)?.seq ?? active.document.replayedSeq);
      this.#save(active, { replayedSeq, rows: active.document.rows + rows, caughtUp: atEnd });
      if (!atEnd) return;
      this.#followLive(active);
      this.#caughtUp(active);
    });
    if (done === true) active.iterator = undefined;
  }

  #replay(active: ActiveBuild, append: Append): number {
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

  /** A created one is done: from here on it is like any other. A rebuilt one goes on to be compared. */
  #caughtUp(active: ActiveBuild): void {
    const { document, entry, query, replay } = active;
    if (document.purpose !== 'create') return;
    const { state, runtime, catalog, onCreated } = this.#env;
    removeBuild(state, document.table);
    this.#active.delete(nameKey(document.table));
    if (query) {
      runtime.unlisten(query);
      runtime.attachQuery(catalog.query(query.id)!, catalog.find(entry.name)!);
    } else {
      replay!.build = undefined;
      runtime.swapSource(entry.name, replay!);
    }
    onCreated(entry.name);
  }

  #compareOrSwap(active: ActiveBuild): void {
    const comparison = (active.comparison ??= this.#compare(active));
    if (!comparison.done) {
      comparison.step(this.#rowsPerStep);
      if (comparison.full) this.#transaction(() => comparison.keep());
      return;
    }
    active.swapping = true;
    failpoint('rebuild-before-swap');
    // It is rejected only when the log is closed or has failed, and then the engine ends: the build goes on at the next start.
    this.#env.appendSwap!(active.entry.name, active.document.version).catch((error: unknown) => {
      this.#env.logger.debug('a swap was not appended', { table: active.entry.name, error: toAppError(error).message });
    });
  }

  #compare({ entry, target }: ActiveBuild): VersionComparison {
    return new VersionComparison(this.#env.runtime.table(entry.name), target!, this.#env.state);
  }

  /** Applies the control record: in the engine's open transaction, at its seq. */
  applySwap(table: string, version: number): void {
    const { state, catalog, runtime } = this.#env;
    const active = this.#active.get(nameKey(table));
    // The swap of a build that has been given up since: the frontier moves, nothing else.
    if (active?.document.version !== version) return;
    const entry = catalog.find(table)!;
    const target = active.target!;
    const earlier = runtime.table(table);
    // After a restart between the append of the swap and its application nothing is compared yet.
    const comparison = (active.comparison ??= this.#compare(active));
    while (!comparison.done) {
      comparison.step(rowsPerStepDefault);
      if (comparison.full) comparison.keep();
    }
    this.#unhook(active);
    const oldStates = active.query && runtime.runningQuery(active.query.id)?.running.topology.stateNames;
    if (active.query) runtime.detachQuery(active.query.id);
    runtime.swapTable(table, target);
    target.feeds = entry.visible;
    catalog.putSource({ ...entry, table: { id: entry.table!.id, version }, failed: null });
    removeBuild(state, table);
    if (active.query) {
      const query = running(catalog.query(active.query.id)!);
      catalog.putQuery(query);
      runtime.attachQuery(query, catalog.find(table)!);
    } else {
      active.replay!.build = undefined;
      runtime.swapSource(table, active.replay!);
      runtime.listenToTopic(active.replay!);
    }
    for (const { before, after } of comparison.differences()) target.emitDifference(before, after);
    state.dropState(suspectState(target.spec));
    if (entry.visible) state.publish(target.spec);
    state.feedRebuilt(entry.name, runtime.context.seq);
    this.#leftBehind.push([earlier.spec, oldStates]);
    this.#active.delete(nameKey(table));
    this.#ended.set(nameKey(table), { ...progressOf(this.#env, active), state: 'done', etaSeconds: 0 });
  }

  /** The engine tells how long the transaction of the swap took. */
  notePause(table: string, pauseMs: number): void {
    const ended = this.#ended.get(nameKey(table));
    // Whole microseconds: the clock's further digits are noise.
    if (ended) this.#ended.set(nameKey(table), { ...ended, pauseMs: Math.round(pauseMs * 1000) / 1000 });
    failpoint('rebuild-after-swap');
  }

  /** The build hears nothing any more. */
  #unhook({ query, replay, comparison }: ActiveBuild): void {
    const { runtime } = this.#env;
    if (query) runtime.unlisten(query);
    if (replay) runtime.leaveTopic(replay);
    comparison?.unhook();
  }

  #save(active: ActiveBuild, change: Partial<BuildDocument>): void {
    active.document = { ...active.document, ...change };
    saveBuild(this.#env.state, active.document);
  }

  #transaction(work: () => void): void {
    const { state, writeDerived } = this.#env;
    state.transaction(() => {
      work();
      writeDerived();
    });
    this.committed();
    this.#env.onStep();
  }
}

function running(query: QueryEntry): QueryEntry {
  return { ...query, state: { kind: 'running' } };
}
