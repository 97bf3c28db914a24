// JSON as Kafka Connect's JsonConverter writes it with schemas.enable: {"schema": ..., "payload": ...} around the row or the key. The
// schema is the same text in every record of a table as long as nothing changes about it, so it is part of the frame that stands around the
// columns, and a reader that has seen it once passes over it as it is.
import type { DataType, StructField } from '../../core/data-type.js';
import type { KeyShape, WireField } from './format.js';
import { startsAt } from './json-row-reader.js';
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
export function connectFields(fields: readonly SchemaField[], times: JsonSchemas['times']) {
  return fields.map((each) => ({ ...fieldType(each, times), optional: true, field: each.name }));
}

export function connectKeySchema(
  topic: string,
  fields: readonly WireField[],
  times: JsonSchemas['times'],
  shape: KeyShape,
): string {
  if (shape === 'bare') return JSON.stringify({ ...fieldType(fields[0]!, times), optional: false });
  const members = fields.map((each) => ({ ...fieldType(each, times), optional: false, field: each.name }));
  return JSON.stringify({ type: 'struct', fields: members, optional: false, name: `${topic}.Key` });
}

type ConnectType = Readonly<Record<string, unknown>>;
type SchemaField = StructField & Pick<WireField, 'semanticType'>;

const named = (type: string, name: string, more = {}): ConnectType => ({ type, name, version: 1, ...more });

function fieldType({ type, semanticType }: SchemaField, times: JsonSchemas['times']): ConnectType {
  switch (semanticType?.kind) {
    case undefined:
      return typeOf(type, times);
    case 'int16':
    case 'float':
      return { type: semanticType.kind };
    case 'year':
      return named('int32', 'io.debezium.time.Year');
    case 'json':
      return named('string', 'io.debezium.data.Json');
    case 'bits':
      return named('bytes', 'io.debezium.data.Bits', { parameters: { length: String(semanticType.length) } });
    case 'enum':
    case 'set': {
      // A comma in a label is told from one between labels.
      const allowed = semanticType.labels.map((label) => label.replaceAll(',', '\\,')).join(',');
      const name = semanticType.kind === 'enum' ? 'Enum' : 'EnumSet';
      return named('string', `io.debezium.data.${name}`, { parameters: { allowed } });
    }
  }
}

function typeOf(type: DataType, times: JsonSchemas['times']): ConnectType {
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

const [opening, toPayload] = [Buffer.from('{"schema":'), Buffer.from(',"payload":')];

/** Where the payload begins in a record that is written like that; -1: it is not. */
export function payloadStart(bytes: Buffer, start: number, end: number): number {
  if (!startsAt(bytes, start, opening)) return -1;
  let depth = 0;
  for (let p = start + opening.length; p < end; p++) {
    const byte = bytes[p]!;
    if (byte === quote) {
      for (p++; p < end && bytes[p] !== quote; p++) if (bytes[p] === backslash) p++;
    } else if (byte === openBrace) depth++;
    else if (byte === closeBrace && --depth === 0)
      return startsAt(bytes, p + 1, toPayload) ? p + 1 + toPayload.length : -1;
  }
  return -1;
}

const [quote, backslash, openBrace, closeBrace] = [34, 92, 123, 125];
