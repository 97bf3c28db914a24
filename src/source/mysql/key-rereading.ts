// Rows of some keys, read as a chunk of a snapshot is: beside the stream, in a window of their own.
import { AppError } from '../../core/errors.js';
import { Session } from './connection.js';
import { readRaw } from './raw-rows.js';
import { ChunkQuery } from './snapshot-query.js';
import { openWindow, type WindowOptions } from './snapshot-window.js';
import type { SnapshotChunk, SnapshotTable, SnapshotterOptions } from './snapshot-chunk.js';

const resultBytesMax = 64 << 20;

export interface KeyRereadingOptions
  extends Omit<WindowOptions, 'open' | 'session'>, Pick<SnapshotterOptions, 'captured'> {}

/** `keys`: literals in key order. Those that are gone are not among the rows. */
export async function readKeys(
  options: KeyRereadingOptions,
  table: SnapshotTable,
  keys: readonly (readonly string[])[],
): Promise<SnapshotChunk> {
  const { config, connection, captured, signal } = options;
  const query = new ChunkQuery(table.schema, captured.filter);
  const session = await Session.openWith(config, connection, signal);
  try {
    await session.query('SET SESSION character_set_results = NULL');
    const { window, view, release } = await openWindow({ ...options, open: table.open, session });
    try {
      const { rows, cut } = await readRaw(session, query.sqlOf(keys), resultBytesMax);
      if (cut)
        throw new AppError('result-too-large', `${keys.length} rows of ${table.open.name} are too large together`);
      const high = await view.high();
      await view.close();
      return { table, query, rows, window, high, kind: 'incremental', last: false, release };
    } catch (error) {
      release();
      throw error;
    }
  } finally {
    session.close();
  }
}
