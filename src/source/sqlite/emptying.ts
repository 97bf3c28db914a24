// The rows of a table that is gone from the file: those that are held are deleted one by one, in one append.
import type { Chunk } from '../../core/append.js';
import { deleteRow, heldSource } from '../held-deletes.js';
import type { SourceContext } from '../source-connector.js';
import { chunkBytes } from './table-reading.js';

export interface EmptyingOptions {
  /** Ends the append; of the table with this topic. */
  readonly endAppend: (topic: string) => void;
}

/** `name`: `database.table`. What is left in the chunk under construction is the caller's. */
export async function* deleteHeld(
  context: SourceContext,
  name: string,
  { endAppend }: EmptyingOptions,
): AsyncGenerator<Chunk> {
  const { chunks, logger, signal } = context;
  logger.info('a table is gone from the file: its rows are deleted', { table: name });
  // Everything that was encoded with its columns has to be in the log.
  const before = chunks.take();
  if (before) yield before;
  const held = (await context.heldTables()).find((table) => table.name === name);
  if (!held) return;
  // One that stood still goes on first, so that it takes the deletes.
  const cause = held.stopped ? 'it is gone from the file' : undefined;
  // Of one that is captured to its topic only the columns come with the rows.
  const known = held.schema ? undefined : await held.read();
  const schema = held.schema ?? known?.schema;
  if (schema?.columns.length === 0) return;
  const encoder = schema && (await context.openTable(heldSource(name, schema), { held: true, cause }));
  const read = known ?? (await held.read());
  if (!read || !encoder) {
    logger.warn('the rows of a table that is gone cannot be deleted: which were captured is not known here', {
      table: name,
    });
    return;
  }
  for await (const page of read.pages) {
    for (const row of page) {
      deleteRow(encoder, read.schema, row);
      if (chunks.byteLength < chunkBytes) continue;
      yield chunks.take()!;
      if (signal.aborted) return;
    }
  }
  endAppend(encoder.topic);
}
