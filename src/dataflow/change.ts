// What moves between base tables, operators and sinks: the old and the new row of one key, together.
//
// Into a topology, a table's change carries the row that was and the row that is (insert: `before` null; delete: `after` null);
// a stream's fact has only `after`. Out of a topology comes a command for the sink: `after` is the row that now stands under
// its key; `after` null deletes the row with the key that `before` holds. Nothing else of an outgoing `before` may be trusted
// (operators without state do not know it, and leave it null with an upsert); the sink reads its own old row. An outgoing
// delete may name a row that is not there. Facts of a stream query come out with `after` alone.
import type { Row } from '../core/data-type.js';

export interface Change {
  readonly before: Row | null;
  readonly after: Row | null;
  /** Timestamp of the record that made the change, ms. */
  readonly rowtimeMs: number;
  /** ROWTIME of `before`, ms; wanted only where Topology.needsOldRowtime says so. */
  readonly beforeRowtimeMs?: number | undefined;
}
