// How the reading of a table that was called for begins: what the source has under its name now, what is held of it, and from where it is
// read. Changes nothing but that the table is opened as it is now.
import { AppError } from '../../core/errors.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import { heldSource } from '../held-deletes.js';
import type { FileOffset } from './position.js';
import type { ReadingList } from './reading-list.js';
import { binlogEnd, type Server } from './server.js';
import type { SnapshotTable } from './snapshot-chunk.js';
import type { TableOpening } from './table-opening.js';
import { describeTable } from './table-schema.js';
import type { TransactionReader } from './transaction-reader.js';

export interface ReadingStartOptions {
  readonly config: MysqlConfig;
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly opening: TableOpening;
  readonly session: Session;
  readonly server: Server;
  readonly reader: TransactionReader;
}

export type ReadingStart =
  /** The stream has to come there first. */
  | { readonly kind: 'behind'; readonly place: FileOffset }
  /** Its description does not stand still. */
  | { readonly kind: 'changing' }
  /** What has taken it away is told by the stream, or has been already. */
  | { readonly kind: 'gone'; readonly held: HeldTable | undefined }
  | { readonly kind: 'refused'; readonly held: HeldTable | undefined; readonly error: AppError }
  /** `key`: behind which it goes on. */
  | {
      readonly kind: 'read';
      readonly held: HeldTable | undefined;
      readonly table: SnapshotTable;
      readonly key: readonly string[] | null;
    };

/** Everything that was encoded is handed over. */
export async function startReading(
  options: ReadingStartOptions,
  list: ReadingList,
  name: string,
): Promise<ReadingStart> {
  const { config, session, server, captured, context, reader, opening } = options;
  // The table is described as it is now: rows from before it became so would come as those of another table, time and again.
  const end = await binlogEnd(session, server);
  if (end && !reader.reached(end)) return { kind: 'behind', place: end };
  const schema = await describeTable(session, name, (text) => captured.known.fold(text), config.modes);
  if (schema === 'changing') return { kind: 'changing' };
  const held = (await context.heldTables()).find((table) => captured.known.fold(table.name) === name);
  const cause = list.causeOf(name);
  if (schema === 'gone') {
    // One that stood still goes on first, so that it takes the deletes.
    if (held?.stopped && held.schema)
      await context.openTable(heldSource(held.name, held.schema), { held: true, cause });
    return { kind: 'gone', held };
  }
  if (schema instanceof AppError) return { kind: 'refused', held, error: schema };
  const error = opening.refusal(schema, schema);
  if (error) return { kind: 'refused', held, error };
  const before = captured.get(schema.database, schema.table);
  const isAsHeld = held !== undefined && held.stopped !== true && opening.isAsHeld(held, schema);
  const open = await opening.toReadAgain(schema, cause);
  if (open !== before) reader.forgetTable(name);
  const isSame = before === undefined || before === open;
  if (!isSame || !isAsHeld) list.readsAll(name);
  // From where an earlier run has come to, if it is still the same table.
  const { key: reached } = list.cursor!;
  const { length } = schema.primaryKey ?? schema.keyColumns;
  const key = isSame && reached?.length === length ? reached : null;
  return { kind: 'read', held, table: { schema, open, where: list.conditionOf(name) }, key };
}
