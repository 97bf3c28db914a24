// A build at work: its document with what runs for it, and how it is shown.
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import type { Append } from '../core/record.js';
import type { Cursor } from '../runtime/cursor.js';
import type { RunningQuery } from '../runtime/running-query.js';
import type { Runtime } from '../runtime/runtime.js';
import type { SourceNode } from '../runtime/source-node.js';
import type { TableNode } from '../runtime/table-node.js';
import type { StateWriter } from '../store/state-store.js';
import type { BuildDocument } from './build.js';
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
  /** replay: the open iteration. */
  iterator: AsyncIterator<readonly Append[]> | undefined;
  comparison: VersionComparison | undefined;
  swapping: boolean;
}

export interface ProgressEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly nowMs: () => number;
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
