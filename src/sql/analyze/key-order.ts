// Strict mode: a stream or table has its key columns first, in key order, wherever they were declared or selected, as in ksqlDB.
// Otherwise the order that was written stands.
import type { RowSchema } from '../../core/data-type.js';

/** For each place of the result the index of the column that comes there. */
export function columnOrder(schema: RowSchema, strict: boolean): readonly number[] {
  const all = schema.columns.map((_, i) => i);
  if (!strict) return all;
  return [...schema.keyColumns, ...all.filter((i) => !schema.keyColumns.includes(i))];
}

export function reorder(schema: RowSchema, order: readonly number[]): RowSchema {
  return {
    columns: order.map((i) => schema.columns[i]!),
    keyColumns: schema.keyColumns.map((i) => order.indexOf(i)),
  };
}
