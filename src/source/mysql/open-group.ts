// What the reader of transactions keeps and hands on: the group that is open, what has to be done before it goes on, and what a connection
// that broke leaves to the next one.
import type { ChangeOrigin } from '../../core/change-origin.js';
import type { ChunkBuilder } from '../../core/row-encoder.js';
import type { AppError } from '../../core/errors.js';
import type { TransactionId } from '../../core/transaction-id.js';
import type { SideRecords } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import type { Cascades, KeysBehind } from './cascades.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import type { Gtid } from './gtid-set.js';
import type { MariadbGtid } from './mariadb-gtid.js';
import type { StreamPosition } from './position.js';
import type { Prepared } from './prepared.js';
import type { GroupKind } from './returning-groups.js';
import type { RowsTable } from './rows-event.js';
import type { Savepoints } from './savepoints.js';
import type { SchemaChanges } from './schema-changes.js';
import type { Emptied, StatementEffect } from './table-knowledge.js';
import type { Collations, TableMap } from './table-map.js';

/** The open group. */
export interface Group {
  gtid: Gtid | MariadbGtid | undefined;
  id: TransactionId | undefined;
  commitTimeUs: number;
  /** BEGIN was seen (MariaDB: implied): the group goes on until XID, COMMIT or ROLLBACK. */
  begun: boolean;
  /** An XA transaction whose end has not come yet: its events are held. */
  xa: boolean;
  /** What it comes as; left out: `new`. */
  kind?: GroupKind;
  /** Without GTIDs: where it begins. */
  place?: string;
  /** The XA transaction that it commits or rolls back. */
  ends?: string | undefined;
  /** Changes of captured tables so far, and statements that are told. */
  rowCount: number;
  /** Of them statements. */
  statements?: number;
  /** A table has come to stand still in it: its rows would not be counted when they come again. */
  stopped?: true;
  savepoints?: Savepoints | undefined;
}

/** What has to be done before an event can be read: then it is given again. */
export type Pending =
  | { readonly kind: 'open'; readonly map: TableMap }
  /** Deletes of all rows of these tables stand in the open group; `emptied` is called then. */
  | { readonly kind: 'empty'; readonly what: Emptied }
  | { readonly kind: 'keys'; readonly what: KeysBehind }
  /** This statement is told, and the server has to be asked what it has made of tables. */
  | { readonly kind: 'look'; readonly query: Buffer }
  /** Its rows are handed over, and `counted`, by whoever knows which others follow; it is not given again. */
  | { readonly kind: 'cascade'; readonly event: Buffer; readonly table: RowsTable };

/** An append that was begun when the connection broke: its first rows come again and are passed over. */
export interface HalfSent {
  readonly id: string | undefined;
  readonly rowCount: number;
  /** Some of them lie in chunks that are handed over. */
  readonly taken: boolean;
  /** They cannot be counted when they come again: the append has to begin anew. */
  readonly uncounted?: boolean | undefined;
}

export interface TransactionReaderOptions {
  readonly tables: CapturedTables;
  readonly cascades: Cascades;
  readonly columns: ColumnKnowledge;
  readonly chunks: ChunkBuilder;
  readonly collations: Collations;
  /** What is handed over. */
  readonly from: StreamPosition;
  /** Where the stream begins: `from`, or before it. */
  readonly begin: StreamPosition;
  readonly prepared: readonly Prepared[];
  readonly halfSent: HalfSent | undefined;
  readonly side: SideRecords;
  readonly schemaChanges: SchemaChanges | undefined;
  /** Of an event that comes compressed, inflated. */
  readonly eventBytesMax: number;
  /** Is told the text of statements, where that is asked for. */
  readonly queries: ChangeOrigin | undefined;
  /**
   * These tables (undefined: any that is captured) have to be read again, since what is held of them is not right, or not whole. Called
   * before the append is ended.
   */
  readonly onLost: (tables: readonly string[] | undefined, cause: string) => void;
  /** A statement has taken effect; called before the append that says so is ended. */
  readonly onStatement: (effect: StatementEffect) => void;
  /**
   * A value of this table (folded) has no form here. Gives the tables (folded) that stand still from here on; throws where the task
   * is to end. Called before the append is ended.
   */
  readonly onUnconvertible: (table: string, error: AppError) => readonly string[];
}
