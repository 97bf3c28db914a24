// Compiles a reader for one column type from the schema that the data was written with. What the type cannot hold is refused:
// where a branch of a union does not fit, only when a record uses that branch.
import { nameKey } from '../../core/names.js';
import { integerValue, printType, type DataType, type StructField, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { AvroInput } from './avro-input.js';
import type { AvroNode, Meaning } from './avro-node.js';
import { avroNames } from './avro-schema.js';
import { fitsPrecision, rescaleExactly } from '../../core/decimal.js';
import { fromTwosComplement } from './decimal.js';
import { fromWire } from './micros.js';
import { zonedMicros, zonedTimestamp } from './zoned-text.js';

export type AvroRead = (cursor: AvroInput) => Value;
type Primitive = Extract<AvroNode, { readonly meaning: Meaning }>;

/** Reads `node` as a value of `type`; `column` is for messages. */
export function avroReader(node: AvroNode, type: DataType, column: string): AvroRead {
  switch (node.kind) {
    case 'union':
      return unionReader(node.branches, type, column);
    case 'null':
      return () => null;
    case 'array':
      if (type.kind === 'ARRAY') return arrayReader(avroReader(node.items, type.element, column));
      if (type.kind === 'MAP') return entriesReader(node.items, type, column);
      break;
    case 'map':
      if (type.kind === 'MAP') return mapReader(avroReader(node.values, type.value, column));
      break;
    case 'record':
      if (type.kind === 'STRUCT') return structReader(node.fields, type.fields, column);
      break;
    case 'enum':
      if (type.kind === 'STRING') return (c) => node.symbols[c.small()] ?? c.fail('an enum has no such symbol');
      break;
    case 'boolean':
      if (type.kind === 'BOOLEAN') return (c) => c.boolean();
      break;
    case 'string':
      if (type.kind === 'STRING') return (c) => c.text();
      if (type.kind === 'TIMESTAMP' && node.meaning.connectName === zonedTimestamp)
        return (c) => zonedMicros(c.text()) ?? c.fail(`column ${column} is no time in UTC`);
      break;
    case 'float':
      if (type.kind === 'DOUBLE') return (c) => c.float();
      break;
    case 'double':
      if (type.kind === 'DOUBLE') return (c) => c.double();
      break;
    case 'bytes':
    case 'fixed':
      return bytesReader(node, type, column);
    case 'int':
    case 'long':
      return longReader(node, type, column);
  }
  return misfit(node, type, column);
}

/** Fails when it is called, not when it is compiled: another branch or a later schema may fit. */
function misfit(node: AvroNode, type: DataType, column: string): AvroRead {
  return () => {
    throw new AppError('bad-record', `column ${column} is Avro ${node.kind} in the record, not ${printType(type)}`);
  };
}

function unionReader(branches: readonly AvroNode[], type: DataType, column: string): AvroRead {
  const readers = branches.map((branch) => avroReader(branch, type, column));
  return (c) => {
    const reader = readers[c.small()];
    return reader === undefined ? c.fail('a union has no such branch') : reader(c);
  };
}

function arrayReader(element: AvroRead): AvroRead {
  return (c) => {
    const values: Value[] = [];
    for (let count = c.items(); count > 0; count = c.items()) {
      for (let i = 0; i < count; i++) values.push(element(c));
    }
    return values;
  };
}

function mapReader(value: AvroRead): AvroRead {
  return (c) => {
    const entries = new Map<string, Value>();
    for (let count = c.items(); count > 0; count = c.items()) {
      for (let i = 0; i < count; i++) {
        const key = c.text();
        entries.set(key, value(c));
      }
    }
    return entries;
  };
}

/** Connect and ksqlDB write a map as an array of {key, value} records. */
function entriesReader(items: AvroNode, type: Extract<DataType, { kind: 'MAP' }>, column: string): AvroRead {
  if (items.kind !== 'record') return misfit(items, type, column);
  const fields = [
    { name: 'key', type: type.key },
    { name: 'value', type: type.value },
  ];
  const entry = structReader(items.fields, fields, column);
  return (c) => {
    const entries = new Map<string, Value>();
    for (let count = c.items(); count > 0; count = c.items()) {
      for (let i = 0; i < count; i++) {
        const [key, value] = entry(c) as readonly Value[];
        if (key === null || key === undefined || typeof key === 'object')
          return c.fail('a map has an entry without a plain key');
        entries.set(String(key), value ?? null);
      }
    }
    return entries;
  };
}

/** Fields by their Avro name, else without regard to case; fields that the struct does not have are skipped. */
function structReader(
  writer: readonly { readonly name: string; readonly node: AvroNode }[],
  fields: readonly StructField[],
  column: string,
): AvroRead {
  const steps = fieldSteps(writer, fields, column);
  const empty: Value[] = fields.map(() => null);
  return (c) => {
    const values = empty.slice();
    for (const { read, target } of steps) {
      const value = read(c);
      if (target >= 0) values[target] = value;
    }
    return values;
  };
}

export interface FieldStep {
  readonly read: AvroRead;
  /** Index into `fields`; -1: skipped. */
  readonly target: number;
}

/** The steps that read a record written with these fields, in the writer's order. */
export function fieldSteps(
  writer: readonly { readonly name: string; readonly node: AvroNode }[],
  fields: readonly StructField[],
  column: string,
): FieldStep[] {
  const exact = new Map<string, number>();
  const folded = new Map<string, number>();
  avroNames(fields.map((f) => f.name)).forEach((name, i) => {
    exact.set(name, i);
    if (!folded.has(nameKey(name))) folded.set(nameKey(name), i);
  });
  const taken = new Set(writer.map(({ name }) => exact.get(name)));
  return writer.map(({ name, node }) => {
    let target = exact.get(name);
    if (target === undefined) {
      const other = folded.get(nameKey(name));
      // A field whose exact namesake is in the record too is another one.
      if (other !== undefined && !taken.has(other)) target = other;
    }
    if (target === undefined) return { read: avroSkipper(node, new Map()), target: -1 };
    const field = fields[target]!;
    return { read: avroReader(node, field.type, column === '' ? field.name : `${column}.${field.name}`), target };
  });
}

function bytesReader(node: Extract<AvroNode, { kind: 'fixed' }> | Primitive, type: DataType, column: string): AvroRead {
  const from = node.kind === 'fixed' ? (c: AvroInput) => c.pass(node.size) : (c: AvroInput) => c.block();
  if (type.kind === 'BYTES') {
    return (c) => {
      const start = from(c);
      return Buffer.from(c.bytes.subarray(start, c.at));
    };
  }
  if (
    type.kind !== 'DECIMAL' ||
    (node.meaning.logicalType !== 'decimal' && node.meaning.connectName !== 'org.apache.kafka.connect.data.Decimal')
  ) {
    return misfit(node, type, column);
  }
  const { scale } = node.meaning;
  return (c) => {
    const start = from(c);
    const size = c.at - start;
    if (scale === type.scale && size > 0 && size <= 6) {
      const value = c.bytes.readIntBE(start, size);
      if (fitsPrecision(value, type.precision)) return value;
    }
    const value = rescaleExactly(fromTwosComplement(c.bytes, start, c.at), scale, type.precision, type.scale);
    return value ?? c.fail(`a decimal of column ${column} does not fit ${printType(type)}`);
  };
}

function longReader(node: Primitive, type: DataType, column: string): AvroRead {
  switch (type.kind) {
    case 'INTEGER':
      return (c) => {
        const value = c.small();
        return value >= -2147483648 && value <= 2147483647 ? value : c.fail(`column ${column} does not fit INTEGER`);
      };
    case 'DATE':
      return (c) => c.small();
    case 'BIGINT':
      return (c) => c.long();
    case 'DOUBLE':
      return (c) => Number(c.long());
    case 'DECIMAL':
      return (c) =>
        rescaleExactly(BigInt(c.long()), 0, type.precision, type.scale) ??
        c.fail(`column ${column} does not fit ${printType(type)}`);
    case 'TIME':
    case 'TIMESTAMP': {
      const digits = timeDigits(node.meaning) ?? type.digits;
      if (digits === 'nanos') {
        return (c) => {
          const nanos = BigInt(c.long());
          return nanos % 1000n === 0n ? integerValue(nanos / 1000n) : c.fail(`column ${column} has nanoseconds`);
        };
      }
      return (c) => fromWire(c.long(), digits);
    }
    case 'BOOLEAN':
    case 'STRING':
    case 'BYTES':
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return misfit(node, type, column);
  }
}

/** What the writer says about its times; undefined: nothing, then the column's own digits count. */
function timeDigits({ logicalType, connectName }: Meaning): 3 | 6 | 'nanos' | undefined {
  const name = logicalType ?? connectName ?? '';
  if (name.endsWith('-millis') || name === 'io.debezium.time.Time' || name === 'io.debezium.time.Timestamp') return 3;
  if (name.endsWith('-micros') || name === 'io.debezium.time.MicroTime' || name === 'io.debezium.time.MicroTimestamp')
    return 6;
  if (name.endsWith('-nanos') || name === 'io.debezium.time.NanoTime' || name === 'io.debezium.time.NanoTimestamp')
    return 'nanos';
  return undefined;
}

/** Passes over a value. `known`: the skippers of records under way, since a record may contain itself. */
function avroSkipper(node: AvroNode, known: Map<AvroNode, AvroRead>): AvroRead {
  switch (node.kind) {
    case 'null':
      return () => null;
    case 'boolean':
      return skip((c) => c.pass(1));
    case 'int':
    case 'long':
    case 'enum':
      return skip((c) => c.long());
    case 'float':
      return skip((c) => c.pass(4));
    case 'double':
      return skip((c) => c.pass(8));
    case 'bytes':
    case 'string':
      return skip((c) => c.block());
    case 'fixed':
      return skip((c) => c.pass(node.size));
    case 'array':
      return skip(arrayReader(avroSkipper(node.items, known)));
    case 'map':
      return skip(mapReader(avroSkipper(node.values, known)));
    case 'union': {
      const branches = node.branches.map((branch) => avroSkipper(branch, known));
      return (c) => (branches[c.small()] ?? c.fail('a union has no such branch'))(c);
    }
    case 'record': {
      const under = known.get(node);
      if (under) return under;
      const fields: AvroRead[] = [];
      const read = skip((c) => {
        for (const field of fields) field(c);
      });
      known.set(node, read);
      for (const field of node.fields) fields.push(avroSkipper(field.node, known));
      return read;
    }
  }
}

function skip(step: (cursor: AvroInput) => unknown): AvroRead {
  return (c) => {
    step(c);
    return null;
  };
}
