// WITH (...): the properties of streams and tables. A name that we do not know is refused with the nearest one; a value that
// would ask for something that is not there is refused too, never ignored.
import { bounds } from '../../core/bounds.js';
import { AppError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { AskedRetention } from '../../core/topic-retention.js';
import type { Literal, Property } from '../ast.js';
import { messages } from '../messages.js';
import type { FormatName } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, unsupported, type Place } from '../sql-error.js';
import { isOver } from './effort.js';

export interface Properties {
  readonly topic: string | null;
  readonly keyFormat: FormatName | null;
  readonly valueFormat: FormatName | null;
  readonly partitions: number | null;
  /** RETENTION_MS, and RETENTION_BYTES, which ksqlDB does not have. */
  readonly retention: AskedRetention;
  /** WRAP_SINGLE_VALUE=true: what JSON, AVRO and PROTOBUF do anyway, but only values of one column may say it. */
  readonly wrapSingle: Property | null;
  readonly timestamp: { readonly column: string; readonly property: Property } | null;
  readonly timestampFormat: { readonly pattern: string; readonly property: Property } | null;
}

const read = [
  'KAFKA_TOPIC',
  'TOPIC',
  'FORMAT',
  'KEY_FORMAT',
  'VALUE_FORMAT',
  'PARTITIONS',
  'REPLICAS',
  'TIMESTAMP',
  'TIMESTAMP_FORMAT',
  'RETENTION_MS',
  'RETENTION_BYTES',
];
/** Known to ksqlDB, and refused as unsupported but for values that say what is so anyway. */
const unread = [
  'WRAP_SINGLE_VALUE',
  'VALUE_DELIMITER',
  'KEY_DELIMITER',
  'WINDOW_TYPE',
  'WINDOW_SIZE',
  'CLEANUP_POLICY',
  'KEY_SCHEMA_ID',
  'VALUE_SCHEMA_ID',
  'KEY_SCHEMA_FULL_NAME',
  'VALUE_SCHEMA_FULL_NAME',
  'VALUE_AVRO_SCHEMA_FULL_NAME',
  'KEY_PROTOBUF_NULLABLE_REPRESENTATION',
  'VALUE_PROTOBUF_NULLABLE_REPRESENTATION',
];
const known = [...read, ...unread];

export function readProperties(properties: readonly Property[], type: 'STREAM' | 'TABLE', strict: boolean): Properties {
  const byName = new Map<string, Property>();
  for (const property of properties) {
    const name = property.name.text.toUpperCase();
    if (!known.includes(name) || (strict && name === 'TOPIC')) {
      const message = `Invalid config variable(s) in the WITH clause: ${property.name.text}`;
      throw invalidStatement(property.name.place, message, didYouMean(name, known));
    }
    if (byName.has(name)) throw invalidStatement(property.name.place, `the property ${name} is given twice`);
    byName.set(name, property);
  }
  refuseUnsupported(byName);
  const both = byName.get('FORMAT');
  for (const part of ['KEY_FORMAT', 'VALUE_FORMAT']) {
    if (both !== undefined && byName.has(part)) throw invalidStatement(both.name.place, messages.bothFormats(part));
  }
  const topic = byName.get('KAFKA_TOPIC') ?? byName.get('TOPIC');
  const timestamp = byName.get('TIMESTAMP');
  const timestampFormat = byName.get('TIMESTAMP_FORMAT');
  return {
    topic: topic === undefined ? null : text(topic),
    keyFormat: formatOf(both ?? byName.get('KEY_FORMAT')),
    valueFormat: formatOf(both ?? byName.get('VALUE_FORMAT')),
    wrapSingle: byName.get('WRAP_SINGLE_VALUE') ?? null,
    partitions: partitionsOf(byName.get('PARTITIONS')),
    retention: retentionOf(byName, type),
    timestamp: timestamp === undefined ? null : { column: columnName(text(timestamp), strict), property: timestamp },
    timestampFormat:
      timestampFormat === undefined ? null : { pattern: text(timestampFormat), property: timestampFormat },
  };
}

function refuseUnsupported(byName: ReadonlyMap<string, Property>): void {
  const cleanup = byName.get('CLEANUP_POLICY');
  if (cleanup) {
    throw invalidStatement(
      cleanup.name.place,
      messages.cleanupPolicy,
      'the topic of a table is compacted; that of a stream loses what is older than its RETENTION_MS',
    );
  }
  for (const [name, property] of byName) {
    if (read.includes(name)) continue;
    // The default of JSON said aloud; the other value is another wire form.
    if (name === 'WRAP_SINGLE_VALUE' && isTrue(property.value)) continue;
    throw unsupported(property.name.place, `the property ${name}`);
  }
}

function isTrue(value: Literal): boolean {
  return (value.kind === 'boolean' && value.value) || (value.kind === 'string' && value.value.toLowerCase() === 'true');
}

function text(property: Property): string {
  if (property.value.kind === 'string') return property.value.value;
  const value = printExpression(property.value);
  throw invalidStatement(
    property.value.place,
    `the property ${property.name.text.toUpperCase()} is a text, not ${value}`,
  );
}

const formats: readonly FormatName[] = ['JSON', 'AVRO', 'PROTOBUF', 'KAFKA'];
const otherFormats = ['DELIMITED', 'JSON_SR', 'PROTOBUF_NOSR', 'NONE'];

function formatOf(property: Property | undefined): FormatName | null {
  if (property === undefined) return null;
  const name = text(property).toUpperCase();
  const format = formats.find((candidate) => candidate === name);
  if (format !== undefined) return format;
  if (otherFormats.includes(name)) throw unsupported(property.value.place, `the format ${name}`);
  throw invalidStatement(
    property.value.place,
    messages.unknownFormat(name),
    didYouMean(name, [...formats, ...otherFormats]),
  );
}

function partitionsOf(property: Property | undefined): number | null {
  if (property === undefined) return null;
  const { value } = property;
  const count = value.kind === 'integer' ? Number(value.text) : value.kind === 'string' ? Number(value.value) : NaN;
  if (isOver('partitions', count)) throw tooManyPartitions(value.place, count);
  if (Number.isInteger(count) && count > 0) return count;
  throw invalidStatement(value.place, `PARTITIONS is a number of at least 1, not ${printExpression(value)}`);
}

function tooManyPartitions(place: Place, count: number): AppError {
  const { code, value: max } = bounds.partitions;
  const { line, column } = place;
  return new AppError(code, `PARTITIONS is ${max} at most, not ${count}`, { place: { line, column } });
}

/** Of a stream's topic; that of a table is compacted, so nothing of it goes by age or size. */
function retentionOf(byName: ReadonlyMap<string, Property>, type: 'STREAM' | 'TABLE'): AskedRetention {
  const ms = byName.get('RETENTION_MS');
  const bytes = byName.get('RETENTION_BYTES');
  if (type === 'TABLE') {
    const hint = 'its topic is compacted: it keeps the last record of every key';
    if (ms) throw invalidStatement(ms.name.place, messages.tableRetention, hint);
    if (bytes) throw invalidStatement(bytes.name.place, messages.tableRetentionBytes, hint);
  }
  return { ms: limitOf(ms, 'milliseconds'), bytes: limitOf(bytes, 'bytes') };
}

function limitOf(property: Property | undefined, unit: string): number | null {
  if (property === undefined) return null;
  const { name, value } = property;
  const number = value.kind === 'integer' ? value.text : value.kind === 'string' ? value.value : '';
  const limit = /^-?\d+$/.test(number) ? Number(number) : Number.NaN;
  if (Number.isSafeInteger(limit) && limit >= -1) return limit;
  throw invalidStatement(
    value.place,
    `${name.text.toUpperCase()} is a whole number of ${unit}, or -1 for no limit, not ${printExpression(value)}`,
  );
}

/** The value names a column as SQL does: quoted, or in strict mode upper-cased. */
function columnName(value: string, strict: boolean): string {
  const quoted = /^`(.*)`$|^"(.*)"$/s.exec(value);
  if (quoted !== null) return quoted[1] ?? quoted[2]!;
  return strict ? value.toUpperCase() : value;
}
