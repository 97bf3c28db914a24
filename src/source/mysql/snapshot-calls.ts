// Who finds that a table has to be read again, or cannot be captured any more, says so here; snapshots.ts does it.
import type { AppError } from '../../core/errors.js';
import type { RowSchema } from '../../core/data-type.js';
import type { ColumnChanges } from './column-clauses.js';
import type { StatementEffect, TableDescription } from './table-knowledge.js';

export interface TableCall {
  /** Folded. */
  readonly name: string;
  /** For people. */
  readonly cause: string;
  /** Only rows that meet it are read. */
  readonly where?: string | undefined;
  /** It changes these columns alone: where that proves true, its rows are not read. */
  readonly columns?: ColumnChanges | undefined;
  /** Somebody asks for it, whatever the configuration says is to be read. */
  readonly asked?: true | undefined;
}

/** What a statement calls for. */
export function statementCalls(
  { emptied, ended, changed }: StatementEffect,
  is: {
    /** It is to be read, or was opened for that. */
    readonly waits: (name: string) => boolean;
    /** Rows of it that were read may be waiting. */
    readonly isRead: (name: string) => boolean;
    readonly standsStill: (name: string) => boolean;
  },
): readonly TableCall[] {
  const isGone = new Set(ended);
  const calls = new Map<string, Omit<TableCall, 'name'>>();
  // One that waits to be read is found to be gone when it is its turn, and is complete then.
  for (const name of ended) if (is.waits(name) || is.standsStill(name)) calls.set(name, { cause: 'DROP' });
  for (const name of emptied.tables)
    if (!isGone.has(name) && (is.isRead(name) || is.standsStill(name))) calls.set(name, { cause: 'TRUNCATE' });
  for (const { name, ...change } of changed) calls.set(name, change);
  return [...calls].map(([name, call]) => ({ name, ...call }));
}

/** Of a table whose rows follow those of one that stood still. */
export function callFollower(name: string, of: string): TableCall {
  return { name, cause: `its rows follow those of ${of}, which is read again` };
}

export interface SnapshotCalls {
  /** The first snapshot is not complete. */
  readonly isFirst: boolean;
  /** Folded name. */
  isCalled(name: string): boolean;
  /** It has other columns, and is not opened with them; unless that proves more, nothing of it is to be read. */
  isAltered(name: string): boolean;
  /** Rows of it come with other columns than it was opened with; `held`: what is held of it. True: it is seen to. */
  ofAltered(name: string, held: RowSchema | undefined, map: TableDescription): boolean;
  /** It is being read again at this moment. */
  isReading(name: string): boolean;
  /** These tables have to be read again. Before the end of the append that says so. */
  call(tables: readonly TableCall[]): void;
  /** What is held of the table (`database.table`) stays as it is, and says why, until it is read again. */
  fail(name: string, error: AppError): void;
}
