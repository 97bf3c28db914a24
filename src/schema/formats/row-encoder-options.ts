// What an encoder of a captured table is made from, and the fields of its records.
import type { SourceColumn, SourceTable } from '../../core/row-encoder.js';
import type { RecordChunkBuilder } from './chunk-builder.js';
import type { JsonSchemas } from './connect-json.js';
import type { EnvelopeSource } from './envelope.js';
import type { AddedHeader } from './headers-writer.js';
import type { Format, KeyShape, RowShape, WireField } from './format.js';

export interface EnvelopeSettings extends EnvelopeSource {
  /** Events tell their transaction, and their place in it. */
  readonly transactions: boolean;
  /** An update that changes none of the columns is no record. */
  readonly skipsUnchanged?: boolean | undefined;
}

export interface RowEncoderOptions {
  readonly table: SourceTable;
  readonly topic: string;
  readonly partitions: number;
  readonly keyFormat: Format;
  readonly valueFormat: Format;
  readonly keyShape: KeyShape;
  readonly shape: RowShape;
  /** With the shape `envelope`. */
  readonly envelope?: EnvelopeSettings | undefined;
  /** False: a delete is only the row that is marked, or its envelope. */
  readonly tombstones?: boolean | undefined;
  /** Columns of the table that tell the operation. */
  readonly opColumns?: readonly number[] | undefined;
  /** Of each record. */
  readonly headers?: readonly AddedHeader[] | undefined;
  /** JSON with its schema in each record. */
  readonly schemas?: JsonSchemas | undefined;
  /** Ids of the registered schemas of this table; needed where the format has them. */
  readonly keySchemaId?: number | undefined;
  readonly valueSchemaId?: number | undefined;
  /** Their texts, which hold the numbers of fields; needed where the format is PROTOBUF. */
  readonly keySchema?: string | undefined;
  readonly valueSchema?: string | undefined;
  readonly chunks: RecordChunkBuilder;
}

/** The fields of a captured row's value and key: what the Avro schemas of the topic are made from too. */
export function tableFields(table: SourceTable): {
  readonly value: readonly WireField[];
  readonly key: readonly WireField[];
} {
  const fieldOf = ({ name, type, semanticType }: SourceColumn) => ({ name, type, semanticType });
  const value = table.columns.map((each, column) => ({ ...fieldOf(each), column, nullable: true }));
  const key = table.keyColumns.map((index, column) => {
    const each = table.columns[index]!;
    return { ...fieldOf(each), column, nullable: each.nullable };
  });
  return { value, key };
}
