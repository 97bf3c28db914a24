// A build at work: its document with what runs for it, and how it is shown.
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import type { Cursor } from '../runtime/cursor.js';
import { assert } from '../core/errors.js';
import { RunningQuery } from '../runtime/running-query.js';
import type { Runtime } from '../runtime/runtime.js';
import type { SourceNode } from '../runtime/source-node.js';
import type { TableNode } from '../runtime/table-node.js';
import type { StateWriter } from '../store/state-store.js';
import { cursorLast, type BuildDocument } from './build.js';
import type { ReplayPages } from './replay-pages.js';
import type { RebuildProgress } from './statement-facade.js';
import type { VersionComparison } from './version-comparison.js';

export interface ActiveBuild {
  document: BuildDocument;
  readonly entry: SourceEntry;
  /** Where the rows go; a derived stream has none. */
  readonly target: TableNode | undefined;
  readonly query: RunningQuery | undefined;
  readonly querySources: readonly string[];
  readonly cursors: Map<string, Cursor>;
  /** replay: the node that decodes the topic into the new version. */
  readonly replay: SourceNode | undefined;
  /** replay: what of the log comes next. */
  readonly pages: ReplayPages | undefined;
  comparison: VersionComparison | undefined;
  swapping: boolean;
  /** The next step is appended and not applied yet. */
  stepping: boolean;
}

export interface ProgressEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly nowMs: () => number;
}

/** What runs for a build, wired to nothing yet. A created table's node runs already, a rebuilt one's next version is opened here. */
export function activateBuild(
  { catalog, runtime }: ProgressEnv,
  document: BuildDocument,
  pagesOf: (table: string, topic: string) => ReplayPages,
): ActiveBuild {
  const entry = catalog.find(document.table);
  assert(entry, `build of ${document.table}, which is not there`);
  const created = document.purpose === 'create';
  const target =
    entry.table === null
      ? undefined
      : created
        ? runtime.table(entry.name)
        : runtime.tableNode(entry, document.version, false);
  const cursors = new Map<string, Cursor>();
  const stored = entry.writtenBy === null ? undefined : catalog.query(entry.writtenBy);
  const compiled =
    stored &&
    runtime.compile(
      stored,
      entry,
      document.version,
      (key, after) => (target ? target.set(key, after) : runtime.emitFact(entry.name, after!)),
      cursors,
    );
  for (const source of new Set(compiled?.sources)) {
    const saved = document.cursors[source];
    if (!saved) continue;
    const { schema } = runtime.table(source).spec;
    cursors.set(source, { schema, last: cursorLast(schema, saved.last), done: saved.done });
  }
  const query =
    stored &&
    new RunningQuery(stored.id, compiled!.topology, {
      order: stored.number,
      build: entry.name,
      cursors: document.method === 'scan' && !document.caughtUp ? cursors : undefined,
    });
  const replay =
    document.method === 'replay'
      ? runtime.sourceNode(stored ? catalog.find(compiled!.sources[0]!)! : entry, stored ? undefined : target)
      : undefined;
  if (replay) replay.build = entry.name;
  if (query) replay?.listeners.push(query);
  return {
    document,
    entry,
    target,
    query,
    querySources: compiled?.sources ?? [],
    cursors,
    replay,
    pages: replay && pagesOf(document.table, replay.topic),
    comparison: undefined,
    swapping: false,
    stepping: false,
  };
}

/** The build hears nothing any more. */
export function unhookBuild(runtime: Runtime, { query, replay, comparison }: ActiveBuild): void {
  if (query) runtime.unlisten(query);
  if (replay) runtime.leaveTopic(replay);
  comparison?.unhook();
}

export function progressOf({ state, nowMs, runtime, catalog }: ProgressEnv, active: ActiveBuild): RebuildProgress {
  const { document, entry, comparison, swapping } = active;
  const seconds = Math.max(0.001, (nowMs() - document.startedMs) / 1000);
  const rowsPerSecond = Math.round(document.rows / seconds);
  const total = catalog.find(entry.name)?.table ? runtime.table(entry.name).writer.rowCount() : document.rows;
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
