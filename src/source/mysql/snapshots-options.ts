// What the readings beside the stream are given, and what one of them consists of.
import type { Logger } from '../../core/logger.js';
import type { HeldTable } from '../source-connector.js';
import type { AbsentRows } from './absent-rows.js';
import type { AskedSnapshots } from './asked-snapshots.js';
import type { Cascades } from './cascades.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import type { ReadingStartOptions } from './reading-start.js';
import type { WindowOptions } from './snapshot-window.js';
import type { SnapshotTable } from './snapshot-chunk.js';
import type { Snapshotter } from './snapshotter.js';
import type { Wakeup } from './wakeup.js';

export interface SnapshotsOptions extends ReadingStartOptions {
  readonly cascades: Cascades;
  readonly asked: AskedSnapshots;
  readonly columns: ColumnKnowledge;
  /** Rows of a snapshot have the time of the source, as changes have. */
  readonly sourceNowUs: () => number;
  /** The stream has come to where the first snapshot is the state of one moment. */
  readonly mayComplete: () => boolean;
  readonly betweenTransactions: WindowOptions['betweenTransactions'];
  readonly wakeup: Wakeup;
  readonly logger: Logger;
}

/** A part that is being read. */
export interface Reading {
  /** Folded; undefined: the first snapshot of all. */
  readonly name: string | undefined;
  readonly snapshotter: Snapshotter | undefined;
  absent: AbsentRows | undefined;
  readonly held: HeldTable | undefined;
  readonly table: SnapshotTable | undefined;
}
