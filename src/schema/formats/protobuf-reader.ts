// Compiles the reader of a Protobuf message into the columns of a row, or the fields of a STRUCT, from the schema that it was written with.
// Fields come in any order and any number of times: the last one counts, messages are read on into the one that was there, lists grow, packed
// or not. What a type cannot hold is refused where a record has it.
import { nameKey } from '../../core/names.js';
import type { DataType, StructField, Value } from '../../core/data-type.js';
import type { FieldType } from '../protobuf/descriptors.js';
import type { ProtobufInput } from './protobuf-input.js';
import { protobufNames } from './protobuf-names.js';
import { isWellKnown, readWellKnown } from './protobuf-known-types.js';
import { misfit, scalarReader, wireTypeOfScalar, zeroOf, type ProtobufRead } from './protobuf-scalars.js';
import { tagOf, wire } from './protobuf-write.js';

/** What happens behind a tag. */
type Step = (input: ProtobufInput, values: Value[]) => void;

export interface MessageReader {
  /** What the values are when the message is empty. */
  readonly empty: readonly Value[];
  /** Reads on to the end of the input, over what is in `values`. */
  readonly read: (input: ProtobufInput, values: Value[]) => void;
}

export interface ReaderOptions {
  /** A list that is not there is NULL; else it is empty, which is the same on the wire. */
  readonly listsAreNull: boolean;
}

/** `column` is for messages; the fields that no column wants are passed over. */
export function messageReader(
  written: readonly FieldType[],
  fields: readonly StructField[],
  column: string,
  options: ReaderOptions,
): MessageReader {
  const targets = targetsOf(written, fields);
  const places = new Map<number, { readonly step: Step; readonly place: number }>();
  const empty: Value[] = fields.map(() => null);
  const tags: number[] = [];
  const steps: Step[] = [];
  written.forEach((field, i) => {
    const target = targets[i];
    if (target === undefined) return;
    const { type, name } = fields[target]!;
    const path = column === '' ? name : `${column}.${name}`;
    empty[target] = absent(field, type, options);
    const ways = fieldSteps(field, type, target, path, options);
    for (const { tag, step } of ways) places.set(tag, { step, place: tags.length });
    tags.push(ways[0]!.tag);
    steps.push(ways[0]!.step);
  });
  const read = (input: ProtobufInput, values: Value[]) => {
    const { end } = input;
    let next = 0;
    while (input.at < end) {
      const tag = input.tag();
      // Who writes as we do writes fields in the order of the schema.
      if (tag === tags[next]) {
        steps[next++]!(input, values);
        continue;
      }
      const found = places.get(tag);
      if (found === undefined) {
        input.skip(tag);
        continue;
      }
      found.step(input, values);
      next = found.place + 1;
    }
  };
  return { empty, read };
}

/** For each field of the message the place of its column: by its exact name, else without regard to case. */
function targetsOf(written: readonly FieldType[], fields: readonly StructField[]): (number | undefined)[] {
  const exact = new Map<string, number>();
  const folded = new Map<string, number>();
  protobufNames(fields.map(({ name }) => name)).forEach((name, i) => {
    exact.set(name, i);
    if (!folded.has(nameKey(name))) folded.set(nameKey(name), i);
  });
  const taken = new Set(written.map(({ name }) => exact.get(name)));
  return written.map(({ name }) => {
    const target = exact.get(name) ?? folded.get(nameKey(name));
    return target !== undefined && (exact.has(name) || !taken.has(target)) ? target : undefined;
  });
}

/** What a column is in a record that has nothing of its field. */
function absent(field: FieldType, type: DataType, { listsAreNull }: ReaderOptions): Value {
  if (field.repeated) {
    if (listsAreNull) return null;
    return type.kind === 'MAP' ? new Map() : type.kind === 'ARRAY' ? [] : null;
  }
  return field.presence ? null : zeroOf(field.type, type);
}

function fieldSteps(
  field: FieldType,
  type: DataType,
  target: number,
  column: string,
  options: ReaderOptions,
): { readonly tag: number; readonly step: Step }[] {
  if (field.mapKey !== undefined || (field.repeated && type.kind === 'MAP'))
    return [{ tag: tagOf(field.number, wire.bytes), step: mapStep(field, type, target, column, options) }];
  if (field.repeated) return listSteps(field, type, target, column, options);
  const { tag, read } = single(field, type, column, options);
  if (field.type.kind === 'message' && type.kind === 'STRUCT' && !field.group) {
    const inner = messageReader(field.type.fields, type.fields, column, options);
    const merge: Step = (input, values) => {
      const there = values[target] as Value[] | null;
      values[target] = readOn(inner, input, there ?? inner.empty.slice());
    };
    return [{ tag, step: merge }];
  }
  const set: Step = (input, values) => {
    values[target] = read(input);
  };
  return [{ tag, step: set }];
}

/** One value of the field, behind its tag. */
function single(
  { number, type: written, group }: FieldType,
  type: DataType,
  column: string,
  options: ReaderOptions,
): { readonly tag: number; readonly read: ProtobufRead } {
  if (written.kind === 'message') {
    const tag = tagOf(number, group ? wire.group : wire.bytes);
    if (type.kind !== 'STRUCT' || group) {
      const known = isWellKnown(written) ? readWellKnown(written, type, column) : undefined;
      return { tag, read: known ?? misfit(group ? 'group' : written.source.name, type, column) };
    }
    const inner = messageReader(written.fields, type.fields, column, options);
    return { tag, read: (input) => readOn(inner, input, inner.empty.slice()) };
  }
  const scalar = written.kind === 'enum' ? 'int32' : written.scalar;
  const read = scalarReader(written, type, column) ?? misfit(written.kind === 'enum' ? 'enum' : scalar, type, column);
  return { tag: tagOf(number, wireTypeOfScalar(scalar)), read };
}

/** Reads a message behind its length into `values`. */
function readOn(inner: MessageReader, input: ProtobufInput, values: Value[]): Value[] {
  const outer = input.enter();
  inner.read(input, values);
  input.leave(outer);
  return values;
}

function listSteps(field: FieldType, type: DataType, target: number, column: string, options: ReaderOptions) {
  const element = type.kind === 'ARRAY' ? type.element : undefined;
  const { tag, read } =
    element === undefined
      ? { ...single(field, type, column, options), read: misfit('repeated', type, column) }
      : single(field, element, column, options);
  const add: Step = (input, values) => {
    listAt(values, target, options).push(read(input));
  };
  const steps = [{ tag, step: add }];
  if ((tag & 7) !== wire.bytes && (tag & 7) !== wire.group) {
    const packed: Step = (input, values) => {
      const list = listAt(values, target, options);
      const outer = input.enter();
      while (input.at < input.end) list.push(read(input));
      input.leave(outer);
    };
    // Packed is what proto3 writes.
    steps.unshift({ tag: tagOf(field.number, wire.bytes), step: packed });
  }
  return steps;
}

/** The list of a row under way: the one that stands for none is everybody's. */
function listAt(values: Value[], target: number, { listsAreNull }: ReaderOptions): Value[] {
  const there = values[target] as Value[] | null;
  if (there !== null && (listsAreNull || there.length > 0)) return there;
  const list: Value[] = [];
  values[target] = list;
  return list;
}

/** A map is a list of messages with a key and a value, under whatever name. */
function mapStep(field: FieldType, type: DataType, target: number, column: string, options: ReaderOptions): Step {
  if (type.kind !== 'MAP') return misfit('map', type, column);
  const entry = mapEntry(field, type, column, options);
  if (entry === undefined) return misfit('repeated', type, column);
  return (input, values) => {
    const there = values[target] as Map<string, Value> | null;
    const map = there === null || there.size === 0 ? new Map<string, Value>() : there;
    const [key, value] = readOn(entry, input, entry.empty.slice()) as [Value, Value];
    if (key === null || typeof key === 'object') return input.fail('a map has an entry without a plain key');
    map.set(String(key), value);
    values[target] = map;
  };
}

function mapEntry(
  field: FieldType,
  { value }: Extract<DataType, { kind: 'MAP' }>,
  column: string,
  options: ReaderOptions,
): MessageReader | undefined {
  const plain = { source: field.source, repeated: false, mapKey: undefined, group: false, oneof: undefined } as const;
  const fields =
    field.mapKey === undefined
      ? field.type.kind === 'message'
        ? field.type.fields
        : undefined
      : [
          {
            ...plain,
            name: 'key',
            number: 1,
            presence: false,
            type: { kind: 'scalar' as const, scalar: field.mapKey },
          },
          { ...plain, name: 'value', number: 2, presence: field.type.kind === 'message', type: field.type },
        ];
  const key = fields?.find(({ name }) => name === 'key')?.type;
  if (fields === undefined || key?.kind !== 'scalar') return undefined;
  const wanted = [
    { name: 'key', type: keyType(key.scalar) },
    { name: 'value', type: value },
  ];
  return messageReader(fields, wanted, column, options);
}

function keyType(scalar: string): DataType {
  if (scalar === 'string') return { kind: 'STRING' };
  if (scalar === 'bool') return { kind: 'BOOLEAN' };
  return { kind: 'DECIMAL', precision: 20, scale: 0 };
}
