// JSON as Kafka Connect's JsonConverter writes it with schemas.enable: {"schema": ..., "payload": ...} around the row or the key. The
// schema is the same text in every record of a table, so it is part of the frame that stands around the columns.
import type { DataType, StructField } from '../../core/data-type.js';
import type { KeyShape, WireField } from './format.js';
import type { JsonFrame } from './json-value-writer.js';
import { zonedTimestamp } from './zoned-text.js';

/** In each record; in the registry, and its id in front of the record (JSON_SR); or nowhere. */
export type SchemaPlace = boolean | 'registered';

export interface JsonSchemas {
  readonly key: SchemaPlace;
  readonly value: SchemaPlace;
  /** Whose names the types of times have. */
  readonly times: 'debezium' | 'connect';
}

/** The frame with the schema around it. */
export function withSchema({ prefixes, suffix }: JsonFrame, schema: string): JsonFrame {
  const [first, ...rest] = prefixes;
  return {
    prefixes: [Buffer.concat([Buffer.from(`{"schema":${schema},"payload":`), first!]), ...rest],
    suffix: Buffer.concat([suffix, Buffer.from('}')]),
  };
}

/** The frame with these bytes in front of it. */
export function behind(front: Buffer, { prefixes, suffix }: JsonFrame): JsonFrame {
  const [first, ...rest] = prefixes;
  return { prefixes: [Buffer.concat([front, first!]), ...rest], suffix };
}

/** `extra`: further text fields behind the columns, such as `__deleted`. */
export function connectValueSchema(
  topic: string,
  fields: readonly WireField[],
  times: JsonSchemas['times'],
  extra: readonly string[] = [],
): string {
  const members = [
    ...connectFields(fields, times),
    ...extra.map((field) => ({ type: 'string', optional: true, field })),
  ];
  return JSON.stringify({ type: 'struct', fields: members, optional: false, name: `${topic}.Value` });
}

/** Of a value. */
export function connectFields(fields: readonly StructField[], times: JsonSchemas['times']) {
  return fields.map(({ name, type }) => ({ ...typeOf(type, times), optional: true, field: name }));
}

export function connectKeySchema(
  topic: string,
  fields: readonly WireField[],
  times: JsonSchemas['times'],
  shape: KeyShape,
): string {
  if (shape === 'bare') return JSON.stringify({ ...typeOf(fields[0]!.type, times), optional: false });
  const members = fields.map(({ name, type }) => ({ ...typeOf(type, times), optional: false, field: name }));
  return JSON.stringify({ type: 'struct', fields: members, optional: false, name: `${topic}.Key` });
}

function typeOf(type: DataType, times: JsonSchemas['times']): Readonly<Record<string, unknown>> {
  const named = (kind: string, name: string, more = {}) => ({ type: kind, name, version: 1, ...more });
  const connect = (name: string) => `org.apache.kafka.connect.data.${name}`;
  switch (type.kind) {
    case 'BOOLEAN':
      return { type: 'boolean' };
    case 'INTEGER':
      return { type: 'int32' };
    case 'BIGINT':
      return { type: 'int64' };
    case 'DOUBLE':
      return { type: 'double' };
    case 'DECIMAL': {
      const parameters = { scale: String(type.scale), 'connect.decimal.precision': String(type.precision) };
      return named('bytes', connect('Decimal'), { parameters });
    }
    case 'BYTES':
      return { type: 'bytes' };
    case 'DATE':
      return named('int32', times === 'connect' ? connect('Date') : 'io.debezium.time.Date');
    case 'TIME':
      if (type.digits === 6) return named('int64', 'io.debezium.time.MicroTime');
      return named('int32', times === 'connect' ? connect('Time') : 'io.debezium.time.Time');
    case 'TIMESTAMP':
      if (type.zoned !== undefined) return named('string', zonedTimestamp);
      if (type.digits === 6) return named('int64', 'io.debezium.time.MicroTimestamp');
      return named('int64', times === 'connect' ? connect('Timestamp') : 'io.debezium.time.Timestamp');
    case 'ARRAY':
      return { type: 'array', items: { ...typeOf(type.element, times), optional: true } };
    case 'MAP':
      return {
        type: 'map',
        keys: { type: 'string', optional: false },
        values: { ...typeOf(type.value, times), optional: true },
      };
    case 'STRUCT':
      return { type: 'struct', fields: connectFields(type.fields, times) };
    case 'STRING':
      return { type: 'string' };
  }
}
