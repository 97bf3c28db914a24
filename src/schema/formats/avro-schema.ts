// The Avro schemas of what writethrough writes: one flat record per topic, named as Debezium's converters name it
// (`<topic>.Key`, `<topic>.Value`), every field of a value a union with null. Column names that Avro does not allow are changed
// by one rule, which the reader knows too.
import type { DataType } from '../../core/data-type.js';
import type { KeyShape, WireField } from './format.js';
import { zonedTimestamp } from './zoned-text.js';

export type AvroSchema = string | AvroObject | readonly AvroSchema[];
export interface AvroObject {
  readonly type: AvroSchema;
  readonly name?: string;
  readonly namespace?: string;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly size?: number;
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
  readonly symbols?: readonly string[];
  readonly fields?: readonly AvroField[];
  readonly 'connect.name'?: string;
  readonly 'connect.version'?: number;
  readonly 'connect.default'?: string;
  readonly 'connect.parameters'?: Readonly<Record<string, string>>;
}
export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly default?: unknown;
}

/** The value's schema as JSON text. `extra`: further nullable text fields behind the columns, such as `__deleted`. */
export function avroValueSchema(topic: string, fields: readonly WireField[], extra: readonly string[] = []): string {
  const record = valueRecord(topic, fields);
  const more = extra.map((name) => ({ name, type: ['null', 'string'], default: null }));
  return JSON.stringify({ ...record, fields: [...record.fields, ...more] });
}

/** The record of a value's columns. */
export function valueRecord(topic: string, fields: readonly WireField[]) {
  return recordOf(topic, 'Value', fields);
}

/** The key's schema as JSON text: the column's own type when bare, else a record. */
export function avroKeySchema(topic: string, fields: readonly WireField[], shape: KeyShape): string {
  if (shape === 'bare') return JSON.stringify(typeOf(fields[0]!.type, `${avroNamespace(topic)}.Key`));
  return JSON.stringify(recordOf(topic, 'Key', fields));
}

function recordOf(topic: string, name: string, fields: readonly WireField[]) {
  const namespace = avroNamespace(topic);
  const names = avroNames(fields.map((f) => f.name));
  return {
    type: 'record',
    name,
    namespace,
    fields: fields.map((field, i) => fieldOf(names[i]!, field.type, field.nullable, `${namespace}.${name}`)),
  };
}

function fieldOf(name: string, type: DataType, nullable: boolean, path: string): AvroField {
  const own = typeOf(type, `${path}_${name}`);
  return nullable ? { name, type: ['null', own], default: null } : { name, type: own };
}

/** `path` names nested records, which Avro wants unique. */
function typeOf(type: DataType, path: string): AvroSchema {
  switch (type.kind) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INTEGER':
      return 'int';
    case 'BIGINT':
      return 'long';
    case 'DOUBLE':
      return 'double';
    case 'DECIMAL':
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale };
    case 'STRING':
      return 'string';
    case 'BYTES':
      return 'bytes';
    case 'DATE':
      return { type: 'int', logicalType: 'date' };
    case 'TIME':
      return type.digits === 3
        ? { type: 'int', logicalType: 'time-millis' }
        : { type: 'long', logicalType: 'time-micros' };
    case 'TIMESTAMP':
      if (type.zoned !== undefined) return { type: 'string', 'connect.version': 1, 'connect.name': zonedTimestamp };
      return { type: 'long', logicalType: type.digits === 3 ? 'timestamp-millis' : 'timestamp-micros' };
    case 'ARRAY':
      return { type: 'array', items: ['null', typeOf(type.element, `${path}_item`)] };
    case 'MAP':
      return { type: 'map', values: ['null', typeOf(type.value, `${path}_value`)] };
    case 'STRUCT': {
      const at = path.lastIndexOf('.');
      const names = avroNames(type.fields.map((f) => f.name));
      return {
        type: 'record',
        name: path.slice(at + 1),
        namespace: path.slice(0, at),
        fields: type.fields.map((field, i) => fieldOf(names[i]!, field.type, true, path)),
      };
    }
  }
}

/** A topic name as an Avro namespace: dots stay, other characters that Avro does not allow become underscores. */
export function avroNamespace(topic: string): string {
  return topic.split('.').map(avroName).join('.');
}

/** A column name as an Avro name. */
export function avroName(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Za-z_]/.test(clean) ? clean : `_${clean}`;
}

/** The Avro names of a record's columns; where two would be the same, the later one gets a number. */
export function avroNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = avroName(name);
    let unique = base;
    for (let n = 2; taken.has(unique); n++) unique = `${base}_${n}`;
    taken.add(unique);
    return unique;
  });
}
