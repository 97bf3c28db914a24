// Readers of Protobuf's scalars as values of a column type.
import { integerValue, printType, type DataType, type Value } from '../../core/data-type.js';
import { rescaleExactly } from '../../core/decimal.js';
import { AppError } from '../../core/errors.js';
import type { EnumType, Scalar, ValueType } from '../protobuf/descriptors.js';
import type { ScalarType } from '../protobuf/proto-file.js';
import { fromWire } from './micros.js';
import type { ProtobufInput } from './protobuf-input.js';
import { wire } from './protobuf-write.js';
import { zonedMicros } from './zoned-text.js';

/** A value of a field alone, behind its tag. */
export type ProtobufRead = (input: ProtobufInput) => Value;

export function wireTypeOfScalar(scalar: ScalarType): number {
  switch (scalar) {
    case 'double':
    case 'fixed64':
    case 'sfixed64':
      return wire.fixed64;
    case 'float':
    case 'fixed32':
    case 'sfixed32':
      return wire.fixed32;
    case 'string':
    case 'bytes':
      return wire.bytes;
    default:
      return wire.varint;
  }
}

/** Undefined: the type cannot hold it. */
export function scalarReader(written: Scalar | EnumType, type: DataType, column: string): ProtobufRead | undefined {
  if (written.kind === 'enum') {
    const { names } = written;
    if (type.kind !== 'STRING') return numberReader('int32', type, column);
    return (input) => {
      const number = input.int32();
      return names.get(number) ?? String(number);
    };
  }
  const { scalar } = written;
  switch (scalar) {
    case 'bool':
      return type.kind === 'BOOLEAN' ? (input) => input.boolean() : undefined;
    case 'string':
      if (type.kind === 'STRING') return (input) => input.text();
      if (type.kind !== 'TIMESTAMP') return undefined;
      return (input) => zonedMicros(input.text()) ?? input.fail(`column ${column} is no time in UTC`);
    case 'bytes':
      return type.kind === 'BYTES' ? (input) => input.blob() : undefined;
    case 'double':
      return type.kind === 'DOUBLE' ? (input) => input.double() : undefined;
    case 'float':
      return type.kind === 'DOUBLE' ? (input) => input.float() : undefined;
    default:
      return numberReader(scalar, type, column);
  }
}

type Integer = (input: ProtobufInput) => number | bigint;
const integers: Readonly<Partial<Record<ScalarType, Integer>>> = {
  int32: (input) => input.int32(),
  int64: (input) => input.int64(),
  uint32: (input) => input.uint32(),
  uint64: (input) => input.uint64(),
  sint32: (input) => input.sint32(),
  sint64: (input) => input.sint64(),
  fixed32: (input) => input.fixed32(),
  fixed64: (input) => input.fixed64(),
  sfixed32: (input) => input.sfixed32(),
  sfixed64: (input) => input.sfixed64(),
};

function numberReader(scalar: ScalarType, type: DataType, column: string): ProtobufRead | undefined {
  const read = integers[scalar]!;
  const refuse = (input: ProtobufInput): never => input.fail(`column ${column} does not fit ${printType(type)}`);
  switch (type.kind) {
    case 'INTEGER':
      if (scalar === 'int32') return (input) => input.int32();
      return (input) => {
        const value = read(input);
        return typeof value === 'number' && value >= -2147483648 && value <= 2147483647 ? value : refuse(input);
      };
    case 'BIGINT':
      if (scalar === 'int64') return (input) => input.int64();
      return (input) => {
        const value = read(input);
        return typeof value === 'number' || BigInt.asIntN(64, value) === value ? value : refuse(input);
      };
    case 'DATE':
      return (input) => {
        const value = read(input);
        return typeof value === 'number' ? value : refuse(input);
      };
    case 'DOUBLE':
      return (input) => Number(read(input));
    case 'DECIMAL':
      return (input) => rescaleExactly(BigInt(read(input)), 0, type.precision, type.scale) ?? refuse(input);
    case 'TIME':
    case 'TIMESTAMP':
      return (input) => {
        const value = fromWire(read(input), type.digits);
        return typeof value === 'number' || BigInt.asIntN(64, value) === value ? value : refuse(input);
      };
    default:
      return undefined;
  }
}

/** What a field without presence stands for where it is not there. */
export function zeroOf(written: ValueType, type: DataType): Value {
  if (written.kind === 'enum') return type.kind === 'STRING' ? (written.names.get(0) ?? '0') : 0;
  if (written.kind === 'message') return null;
  switch (type.kind) {
    case 'BOOLEAN':
      return written.scalar === 'bool' ? false : null;
    case 'STRING':
      return written.scalar === 'string' ? '' : null;
    case 'BYTES':
      return written.scalar === 'bytes' ? Buffer.alloc(0) : null;
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return null;
    default:
      return ['bool', 'string', 'bytes'].includes(written.scalar) ? null : integerValue(0n);
  }
}

/** Fails when it is called, not when it is compiled: a later schema may fit. */
export function misfit(written: string, type: DataType, column: string): () => never {
  return () => {
    throw new AppError('bad-record', `column ${column} is Protobuf ${written} in the record, not ${printType(type)}`);
  };
}
