// What is written beside the rows, described as a table that belongs to no database of the source.
import type { DataType } from '../core/data-type.js';
import type { SourceColumn, SourceTable } from '../core/row-encoder.js';

export function sideColumn(name: string, type: DataType, nullable = false): SourceColumn {
  return { name, type, nullable, sourceType: type.kind };
}

export function sideTable(table: string, columns: readonly SourceColumn[], key: number): SourceTable {
  return { database: '', table, columns, keyColumns: [key] };
}
