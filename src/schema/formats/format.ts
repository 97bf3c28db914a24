// The formats of keys and values that writethrough reads and writes, and the forms a key can take. Everything else is refused
// where it is named (by a connector's or a statement's property), never in the middle of the data.
import type { DataType, RowSchema } from '../../core/data-type.js';
import type { SemanticType } from '../../core/row-encoder.js';

/** KAFKA is ksqlDB's name for Kafka's primitive serializers: one bare column, big-endian numbers, UTF-8 text. */
export type Format = 'JSON' | 'AVRO' | 'PROTOBUF' | 'KAFKA';

/** The field that marks the last row of a delete, "true" or "false". */
export const deletedField = '__deleted';

/**
 * What a value is: the row; the row with that field, of a delete, too; or Debezium's envelope with the row before and after the change,
 * its source and its operation.
 */
export type RowShape = 'flat' | 'flat-with-deleted' | 'envelope';

/** bare: the one key column's value alone; object: a JSON object, Avro record or Protobuf message with a field per key column. */
export type KeyShape = 'bare' | 'object';

/** A field of a record on the wire: a column of the row, in the order in which it is written. */
export interface WireField {
  readonly name: string;
  readonly type: DataType;
  /** Index of the column in the row. */
  readonly column: number;
  /** Avro: a union with null, whose default is null; Protobuf: `optional`. JSON writes null either way. */
  readonly nullable: boolean;
  /** For schemas in JSON alone. */
  readonly semanticType?: SemanticType | undefined;
}

/** The fields of a value: all columns unless `valueColumns` says which (topics that keep the key out of the value). */
export function valueFields(schema: RowSchema, valueColumns?: readonly number[]): WireField[] {
  const chosen = valueColumns ?? schema.columns.map((_, index) => index);
  return chosen.map((column) => ({ ...schema.columns[column]!, column, nullable: true }));
}

/** The fields of a key, in key order. `column` is the place among the key values. */
export function keyFields(schema: RowSchema, nullable: (keyIndex: number) => boolean = () => true): WireField[] {
  return schema.keyColumns.map((column, keyIndex) => ({
    ...schema.columns[column]!,
    column: keyIndex,
    nullable: nullable(keyIndex),
  }));
}

/** The form that a key takes when nothing else is declared: bare for one column, an object for several, and in PROTOBUF always. */
export function defaultKeyShape(schema: RowSchema, format?: Format): KeyShape {
  if (format === 'PROTOBUF') return 'object';
  return schema.keyColumns.length === 1 ? 'bare' : 'object';
}
