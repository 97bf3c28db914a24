// Deletes of rows that are held here, for what takes rows away at the source without naming them.
import type { Row, RowSchema } from '../core/data-type.js';
import type { RowEncoder, SourceTable } from '../core/row-encoder.js';
import { splitName } from '../core/table-name.js';
import { writeValue } from '../schema/formats/write-value.js';

/** The delete of a row that is held. */
export function deleteRow(encoder: RowEncoder, schema: RowSchema, row: Row): void {
  const to = encoder.beginDelete();
  const columns = encoder.oldRow === 'key' ? schema.keyColumns : schema.columns.keys();
  for (const i of columns) writeValue(to, schema.columns[i]!.type, row[i]!);
  encoder.endDelete();
}

/** As far as it matters for deletes: a primary key holds no NULL. */
export function heldSource(name: string, { columns, keyColumns }: RowSchema): SourceTable {
  return {
    ...splitName(name),
    columns: columns.map((column, i) => ({
      ...column,
      nullable: !keyColumns.includes(i),
      sourceType: column.type.kind,
    })),
    keyColumns,
  };
}
