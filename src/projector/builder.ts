// Drives the builds (build.ts): fills new versions of tables in bounded steps between the engine's commits, then publishes a created
// one or compares and swaps a rebuilt one.
//
// The steps of a created one are appends: it derives records for its topic and for what reads it, and those are numbered by the append
// that causes them. Whoever may append drives the build; all processes apply a step at its seq, so their cursors stand at the same
// rows there, and what a live change meets (the row has been read, or it will be) is the same everywhere.
//
// A rebuilt one derives nothing before its swap, so each process fills it at its own pace. One that comes to a swap without having
// the version (a fresh data folder, a follower) fills it then (`isPrepared`). Nothing here waits: what a replay needs of the log is read
// beside the loop (replay-pages.ts), and a build whose page is not there yet is passed over. Order of a rebuild, and what a crash between
// any two leaves:
//   1. save the build document, create the hidden version           crash: the build goes on behind its last step
//   2. fill (scan or replay), cursor saved with each step           crash: as above
//   3. caught up: the version follows live changes in lock-step     crash: filling is over, lock-step is taken up again
//   4. compare old and new in key order, remember the suspects      crash: compared again from the start, with no suspects
//   5. append the control record `rebuild-swapped`                  crash before: 4 again; after: the swap is applied at its seq
//   6. apply it: emit the true differences, flip the view, forget the document   one transaction
//   7. empty the old version in steps, drop it                      crash: the rest of it is found without an owner (garbage.ts)
// The old version serves and is fed until 6, so a failure anywhere before leaves it untouched. What differs passes through 6 a page at a
// time; the engine's pause there grows with it, because all of it becomes visible in one commit.
import type { AppendControl } from '../core/append-control.js';
import type { QueryEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { assert, toAppError, type AppError } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Append } from '../core/append.js';
import { QueryFailure } from '../runtime/running-query.js';
import { PartFailure, partFailure } from '../runtime/runtime.js';
import { activateBuild, progressOf, unhookBuild, type ActiveBuild } from './active-build.js';
import { cursorsToDocument, loadBuilds, removeBuild, saveBuild, type BuildDocument } from './build.js';
import { EndedBuilds } from './ended-builds.js';
import { replayRecords, scanRows } from './fill.js';
import type { BuilderEnv } from './builder-env.js';
import { whySwapIsVoid } from './definition-checks.js';
import { newRebuild } from './new-rebuild.js';
import { BuildPages } from './build-pages.js';
import type { ReplayPage } from './replay-pages.js';
import type { RebuildProgress } from './statement-facade.js';
import { suspectState, VersionComparison } from './version-comparison.js';

/** Rows per scan step and per comparison step: a few ms of work, so that live changes never wait long. */
const rowsPerStepDefault = 1000;

export class Builder {
  readonly #env: BuilderEnv;
  readonly #active = new Map<string, ActiveBuild>();
  readonly #ended = new EndedBuilds();
  readonly #rowsPerStep: number;
  readonly #pages: BuildPages;
  #onRead: () => void = () => {};

  constructor(env: BuilderEnv) {
    this.#env = env;
    this.#rowsPerStep = env.rowsPerStep ?? rowsPerStepDefault;
    this.#pages = new BuildPages({ read: env.readLog, onRead: () => this.#onRead() });
  }

  onRead(listener: () => void): void {
    this.#onRead = listener;
  }

  /** Takes up unfinished builds: at start and after a rollback. */
  load(): void {
    this.#active.clear();
    this.#pages.rolledBack();
    for (const document of loadBuilds(this.#env.state)) {
      this.#ended.forget(document.table);
      this.#activate(document);
    }
  }

  /** The transaction in which builds have ended is committed. */
  committed(): void {
    this.#pages.committed();
  }

  applied(appends: readonly Append[]): void {
    this.#pages.applied(appends);
  }

  /** Ends what is being read ahead, also what waits for an answer. */
  close(): Promise<void> {
    return this.#pages.close();
  }

  /** For an append: its own one, or that of the process that may append. */
  #waits({ swapping, stepping, document }: ActiveBuild): boolean {
    const derives = document.caughtUp || document.purpose === 'create';
    return swapping || stepping || (derives && this.#env.appendControl === undefined);
  }

  /** `rebuild`: not for the first time. */
  isBuilding(table: string, purpose?: 'rebuild'): boolean {
    const active = this.#active.get(nameKey(table));
    return active !== undefined && (purpose === undefined || active.document.purpose === purpose);
  }

  progress(): readonly RebuildProgress[] {
    const running = [...this.#active.values()].filter(({ document }) => document.purpose === 'rebuild');
    return [...this.#ended.all(), ...running.map((active) => progressOf(this.#env, active))];
  }

  /** Saves the document ahead of `begin`, for who asks whether a table is being created. */
  announce(document: BuildDocument): void {
    saveBuild(this.#env.state, document);
  }

  /** Begins a build inside the open transaction; its rows come by steps. A created table's node runs already, unwired. */
  begin(document: BuildDocument): void {
    const { state, catalog } = this.#env;
    const { name, schema, table } = catalog.find(document.table)!;
    saveBuild(state, document);
    if (document.purpose === 'rebuild') state.createTable({ id: table!.id, version: document.version, name, schema });
    this.#ended.forget(document.table);
    this.#activate(document);
  }

  /** The table is dropped: its build ends with it. In the open transaction. */
  forget(table: string): void {
    this.#env.garbage.note();
    const active = this.#active.get(nameKey(table));
    if (!active) return;
    unhookBuild(this.#env.runtime, active);
    this.#active.delete(nameKey(table));
    this.#pages.retire(table);
    removeBuild(this.#env.state, active.document.table);
    const { document, entry } = active;
    if (document.purpose === 'rebuild' && entry.table !== null)
      this.#env.state.disown({ id: entry.table.id, version: document.version });
  }

  /** A build cannot go on, in the open transaction: a rebuilt table stays as it is, a created one stands still. Queries that do, too. */
  fail(table: string, error: AppError): readonly string[] {
    const { runtime } = this.#env;
    const active = this.#active.get(nameKey(table));
    assert(active, `the build of ${table} that failed is there`);
    const { document, entry } = active;
    this.forget(table);
    this.#ended.failed(progressOf(this.#env, active), document.version, error);
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
    const active = activateBuild(this.#env, document, (table, topic) => this.#pages.of(table, topic));
    this.#active.set(nameKey(document.table), active);
    if (document.method === 'scan' || document.caughtUp) this.#followLive(active);
  }

  #followLive({ query, querySources, replay }: ActiveBuild): void {
    if (query) this.#env.runtime.listen(query, querySources);
    else this.#env.runtime.listenToTopic(replay!);
  }

  /** One bounded step of one build, in a transaction of its own. False: nothing to do yet. Throws PartFailure, after a rollback. */
  step(): boolean {
    for (const active of this.#active.values()) {
      try {
        if (this.#stepOf(active)) return true;
      } catch (error) {
        if (error instanceof QueryFailure) throw partFailure(error); // of its own query, or of one that reads its table
        if (error instanceof PartFailure) throw error;
        throw new PartFailure({ kind: 'build', name: active.entry.name }, toAppError(error));
      }
    }
    return false;
  }

  #stepOf(active: ActiveBuild): boolean {
    const { caughtUp, purpose } = active.document;
    // Whoever appends the next step: its page is read meanwhile.
    const isRead = caughtUp || purpose !== 'create' || this.#readAhead(active);
    if (this.#waits(active) || !isRead) return false;
    if (caughtUp) this.#compareOrSwap(active);
    else if (purpose === 'create') this.#appendStep(active);
    else return this.#fill(active);
    return true;
  }

  /** What reading has failed with is thrown where the step is applied: at one seq on every process. */
  #readAhead({ pages, document }: ActiveBuild): boolean {
    if (pages === undefined || pages.failed) return true;
    return pages.next(document.replayedSeq, this.#env.state.frontier.seq, this.#rowsPerStep) !== undefined;
  }

  /** False: its page is being read. */
  #fill(active: ActiveBuild): boolean {
    const rows = this.#rowsPerStep;
    if (active.document.method === 'scan') this.#transaction(() => this.#scan(active, rows));
    else {
      const page = this.#readPage(active, rows);
      if (page === undefined) return false;
      this.#transaction(() => this.#replayPage(active, page));
    }
    failpoint('rebuild-after-chunk');
    return true;
  }

  #appendStep(active: ActiveBuild): void {
    const { table, method } = active.document;
    active.stepping = true;
    this.#append({ kind: 'build-step', table, rows: this.#rowsPerStep, method });
  }

  /** Rejected only when the log is closed or has failed, and then the engine ends: the build goes on at the next start. */
  #append(control: AppendControl & { readonly table: string }): void {
    this.#env.appendControl!(control).catch((error: unknown) => {
      const { kind, table } = control;
      this.#env.logger.debug('a step of a build was not appended', { kind, table, error: toAppError(error).message });
    });
  }

  needsPreparation(control: AppendControl): boolean {
    return control.kind === 'rebuild-swapped' || (control.kind === 'build-step' && control.method === 'replay');
  }

  /**
   * Has to hold before an append with this control is applied, when everything before it is committed; false: what is missing is on its
   * way, by the listener and by steps.
   */
  isPrepared(control: AppendControl): boolean {
    if (control.kind === 'build-step') {
      const active = this.#active.get(nameKey(control.table));
      if (active?.document.purpose !== 'create' || control.method !== 'replay') return true;
      return this.#readPage(active, control.rows) !== undefined;
    }
    return control.kind !== 'rebuild-swapped' || this.#isFilled(control.table, control.version);
  }

  /** Applies a step: in the engine's open transaction, at its seq. */
  applyStep(table: string, rows: number): void {
    const active = this.#active.get(nameKey(table));
    // The step of a build that has ended since: the frontier moves, nothing else.
    if (active?.document.purpose !== 'create') return;
    active.stepping = false;
    if (active.document.method === 'scan') return this.#scan(active, rows);
    const page = active.pages!.last;
    assert(page?.after === active.document.replayedSeq, `the records that ${table} replays are read before the step`);
    const { context } = this.#env.runtime;
    const { seq, commitTimeUs, rowtimeMs } = context;
    this.#replayPage(active, page.page, { seq, commitTimeUs });
    Object.assign(context, { seq, commitTimeUs, rowtimeMs });
    failpoint('rebuild-after-chunk');
  }

  #isFilled(table: string, version: number): boolean {
    const { catalog, state, nowMs } = this.#env;
    const key = nameKey(table);
    const entry = catalog.find(table);
    if (entry && whySwapIsVoid(catalog, entry) !== undefined) return true;
    const isMissing = !this.#active.has(key) && entry?.table && entry.table.version < version;
    if (isMissing && !this.#ended.hasFailed(table, version)) {
      // It was given up when its query failed: what it has left under this number goes first.
      if (this.#env.garbage.debt() > 0) return false;
      state.transaction(() => this.begin(newRebuild(catalog, entry, version, nowMs())));
    }
    const active = this.#active.get(key);
    if (active?.document.purpose !== 'rebuild' || active.document.version !== version) return true;
    return active.document.caughtUp;
  }

  /** Inside an open transaction: at most `limit` rows of a build by scan. For small tables at creation. */
  scanNow(table: string, limit: number): void {
    const active = this.#active.get(nameKey(table));
    if (active?.document.method === 'scan') this.#scan(active, limit);
  }

  #scan(active: ActiveBuild, limit: number): void {
    const rows = scanRows(this.#env.runtime, active, limit);
    const { query, cursors } = active;
    const caughtUp = [...cursors.values()].every((cursor) => cursor.done);
    this.#save(active, { cursors: cursorsToDocument(cursors), rows: active.document.rows + rows, caughtUp });
    if (!caughtUp) return;
    query!.cursors = undefined;
    this.#caughtUp(active);
  }

  /** Undefined: it is being read. */
  #readPage(active: ActiveBuild, rows: number): ReplayPage | undefined {
    return active.pages!.next(active.document.replayedSeq, this.#env.state.frontier.seq, rows);
  }

  /** `at`: the append that what it derives belongs to; a rebuild derives nothing. */
  #replayPage(active: ActiveBuild, page: ReplayPage, at?: Pick<Append, 'seq' | 'commitTimeUs'>): void {
    const rows = replayRecords(this.#env.runtime, active, page.appends, at);
    this.#save(active, { replayedSeq: page.upTo, rows: active.document.rows + rows, caughtUp: page.atEnd });
    if (!page.atEnd) return;
    active.replay!.replayFrom(Number.POSITIVE_INFINITY);
    this.#followLive(active);
    this.#caughtUp(active);
  }

  /** A created one is done: from here on it is like any other. A rebuilt one goes on to be compared. */
  #caughtUp(active: ActiveBuild): void {
    const { document, entry, query, replay } = active;
    if (document.purpose !== 'create') return;
    const { state, runtime, catalog, visibility } = this.#env;
    removeBuild(state, document.table);
    this.#active.delete(nameKey(document.table));
    this.#pages.retire(document.table);
    if (query) {
      runtime.unlisten(query);
      runtime.attachQuery(catalog.query(query.id)!, catalog.find(entry.name)!);
    } else {
      replay!.build = undefined;
      runtime.swapSource(entry.name, replay!);
    }
    visibility.created(entry.name);
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
    this.#append({ kind: 'rebuild-swapped', table: active.entry.name, version: active.document.version });
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
    const reason = whySwapIsVoid(catalog, entry);
    if (reason !== undefined) {
      this.forget(table);
      this.#ended.failed(progressOf(this.#env, active), version, reason);
      return;
    }
    const target = active.target!;
    // After a restart between the append of the swap and its application nothing is compared yet.
    const comparison = (active.comparison ??= this.#compare(active));
    while (!comparison.done) {
      comparison.step(rowsPerStepDefault);
      if (comparison.full) comparison.keep();
    }
    unhookBuild(this.#env.runtime, active);
    if (active.query) runtime.detachQuery(active.query.id);
    runtime.swapTable(table, target);
    target.feeds = entry.visible;
    catalog.putSource({ ...entry, table: { id: entry.table!.id, version }, failed: null });
    removeBuild(state, table);
    if (active.query) {
      const query: QueryEntry = { ...catalog.query(active.query.id)!, state: { kind: 'running' } };
      catalog.putQuery(query);
      runtime.attachQuery(query, catalog.find(table)!);
    } else {
      active.replay!.build = undefined;
      runtime.swapSource(table, active.replay!);
      runtime.listenToTopic(active.replay!);
    }
    for (const difference of comparison.differences()) target.emitDifference(difference);
    state.dropState(suspectState(target.spec));
    if (entry.visible) state.publish(target.spec);
    state.feedRebuilt(entry.name, runtime.context.seq);
    state.disown(entry.table!);
    this.#env.garbage.note();
    this.#active.delete(nameKey(table));
    this.#pages.retire(table);
    this.#ended.done(progressOf(this.#env, active));
  }

  /** The engine tells how long the transaction of the swap took. */
  notePause(table: string, pauseMs: number): void {
    this.#ended.notePause(table, pauseMs);
    failpoint('rebuild-after-swap');
  }

  #save(active: ActiveBuild, change: Partial<BuildDocument>): void {
    active.document = { ...active.document, ...change };
    saveBuild(this.#env.state, active.document);
  }

  #transaction(work: () => void): void {
    this.#env.state.transaction(work);
    this.committed();
    this.#env.onStep();
  }
}
