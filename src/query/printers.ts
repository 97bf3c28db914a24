// The printers of rows and values as the HTTP answers show them.
import type { DataType, Row, RowSchema } from '../core/data-type.js';
import { createRowPrinter, valuePrinter, type PrintValue } from '../schema/formats/row-printer.js';
import type { NumberStyle } from './query-facade.js';

export function rowPrinter(schema: RowSchema, numbers: NumberStyle): (row: Row) => string {
  return createRowPrinter(schema, { numbers });
}

/** The key of a row: the bare value of one column, an object of several. */
export function keyPrinter(schema: RowSchema, numbers: NumberStyle): (row: Row) => string {
  const [first, ...more] = schema.keyColumns;
  if (first !== undefined && more.length === 0) {
    const print = valuePrinter(schema.columns[first]!.type, { numbers });
    return (row) => print(row[first]!);
  }
  const print = createRowPrinter({ columns: schema.keyColumns.map((i) => schema.columns[i]!) }, { numbers });
  return (row) => print(schema.keyColumns.map((i) => row[i]!));
}

/** Per column of a SELECT, as ksqlDB's endpoints write values. */
export function columnPrinters(types: readonly DataType[]): readonly PrintValue[] {
  return types.map((type) => valuePrinter(type, { numbers: 'literals' }));
}
