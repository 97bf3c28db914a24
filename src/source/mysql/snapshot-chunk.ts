// What a reading of tables beside the stream is given, and the chunks that come of it.
import type { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { CapturedTables, OpenTable } from './captured-tables.js';
import type { MysqlConfig } from './config.js';
import type { ResolvedOptions } from './connection.js';
import type { KeyWindow } from './key-window.js';
import type { FileOffset, SnapshotCursor } from './position.js';
import type { RawRows } from './raw-rows.js';
import type { Server } from './server.js';
import type { ChunkQuery } from './snapshot-query.js';
import type { WindowOptions } from './snapshot-window.js';
import type { TableSchema } from './table-schema.js';
import type { Wakeup } from './wakeup.js';

export interface SnapshotTable {
  readonly schema: TableSchema;
  readonly open: OpenTable;
  /** Only rows that meet it are read. */
  readonly where?: string | undefined;
}

export interface SnapshotChunk {
  readonly table: SnapshotTable;
  readonly query: ChunkQuery;
  readonly rows: RawRows;
  readonly window: KeyWindow;
  readonly high: FileOffset;
  readonly kind: 'true' | 'incremental';
  /** The last of the table. */
  readonly last: boolean;
  /** The server does not read the table on; there are no rows. */
  readonly refusal?: AppError | undefined;
  /** Called when all its rows were handed over or dropped. */
  release(): void;
}

export interface SnapshotterOptions {
  readonly config: MysqlConfig;
  readonly connection: ResolvedOptions;
  readonly server: Server;
  readonly tables: readonly SnapshotTable[];
  /** What its rows are called. */
  readonly kind: SnapshotChunk['kind'];
  readonly captured: CapturedTables;
  /** What earlier runs have handed over already. */
  readonly cursor: SnapshotCursor;
  readonly betweenTransactions: WindowOptions['betweenTransactions'];
  /** The table (folded name) is not as it was described, and is not read on. */
  readonly onChanged: (name: string) => void;
  readonly wakeup: Wakeup;
  readonly logger: Logger;
}
