// The Protobuf schemas of what writethrough writes, as Confluent's converter names and types them: package and message are those of the
// topic (`<topic>.Key`, `<topic>.Value`), a decimal is confluent.type.Decimal, a date google.type.Date, a TIME google.type.TimeOfDay, a
// TIMESTAMP google.protobuf.Timestamp. Every field of a value is `optional`, so NULL is told from 0 and from an empty text.
//
// A field keeps its number for good: numbers come from the schema before (`previous`), where a field of that name and of a type that is
// read as the new one has one; others get the next numbers, in the order of columns, and those that go are reserved. So a column that is
// added, dropped or moved never gives its number to another, and every version reads every other's records.
import type { DataType, StructField } from '../../core/data-type.js';
import {
  numberMax,
  type OptionValue,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type NumberRange,
} from '../protobuf/proto-file.js';
import { parseProto } from '../protobuf/proto-parser.js';
import { printProto } from '../protobuf/proto-printer.js';
import { avroNamespace } from './avro-schema.js';
import type { WireField } from './format.js';
import { protobufNames } from './protobuf-names.js';

export interface ProtobufSchemaOptions {
  readonly topic: string;
  readonly fields: readonly WireField[];
  /** The newest text of the subject. */
  readonly previous?: string | undefined;
  /** Further nullable text fields behind the columns, such as `__deleted`. */
  readonly extra?: readonly string[] | undefined;
}

export function protobufValueSchema(options: ProtobufSchemaOptions): string {
  return schemaOf(options, 'Value');
}

export function protobufKeySchema(options: ProtobufSchemaOptions): string {
  return schemaOf(options, 'Key');
}

function schemaOf({ topic, fields, previous, extra = [] }: ProtobufSchemaOptions, name: string): string {
  const writer = new SchemaWriter(topic);
  const wanted = [
    ...fields,
    ...extra.map((field) => ({ name: field, type: { kind: 'STRING' } as const, nullable: true })),
  ];
  return writer.print([writer.message(name, wanted, messageNamed(previous, name))]);
}

export interface FieldWish extends StructField {
  readonly nullable: boolean;
}

/** The message of that name in a text. */
export function messageNamed(text: string | undefined, name: string): ProtoMessage | undefined {
  return text === undefined ? undefined : parseProto(text).messages.find((message) => message.name === name);
}

export function nestedNamed(message: ProtoMessage | undefined, name: string): ProtoMessage | undefined {
  return message?.messages.find((each) => each.name === name);
}

interface FieldPlan {
  readonly name: string;
  readonly label: ProtoField['label'];
  /** Undefined: a message of its own, with the fields of `struct`. */
  readonly type: string | undefined;
  readonly struct?: readonly StructField[];
  readonly mapKey?: string;
  readonly options?: ProtoField['options'];
  /** The message that `type` names, where it is defined in this one. */
  readonly nested?: ProtoMessage;
}

type FieldForm = Omit<FieldPlan, 'name'>;

/** Makes messages and knows what they import. */
export class SchemaWriter {
  readonly #package: string;
  readonly #imports = new Set<string>();

  constructor(topic: string) {
    this.#package = avroNamespace(topic);
  }

  print(messages: readonly ProtoMessage[]): string {
    const file: ProtoFile = {
      syntax: 'proto3',
      package: this.#package,
      imports: [...this.#imports].sort().map((path) => ({ path, kind: 'plain' })),
      options: [],
      messages,
      enums: [],
      extends: [],
      services: [],
    };
    return printProto(file);
  }

  message(name: string, fields: readonly FieldWish[], previous: ProtoMessage | undefined): ProtoMessage {
    const names = protobufNames(fields.map((field) => field.name));
    const plans = fields.map(({ type, nullable }, i) => ({ ...this.#formOf(type, nullable), name: names[i]! }));
    return this.planned(name, plans, previous);
  }

  /** A message whose fields are given. */
  planned(name: string, plans: readonly FieldPlan[], previous: ProtoMessage | undefined): ProtoMessage {
    const { numbers, kept, reserved } = numbered(plans, previous);
    const nestedNames = new NestedNames(plans.map((plan) => plan.name));
    const messages: ProtoMessage[] = [];
    const fields = plans.map((plan, i): ProtoField => {
      const { label, mapKey, options = [], struct, nested } = plan;
      let { type } = plan;
      if (nested !== undefined) messages.push(nested);
      if (struct !== undefined) {
        // A name that an earlier version had for another message would be read as that one: a new field takes its number along.
        type = kept[i]?.type ?? nestedNames.of(plan.name, previous === undefined ? '' : `_${numbers[i]!}`);
        const wishes = struct.map((field) => ({ ...field, nullable: true }));
        messages.push(this.message(type, wishes, kept[i] && nestedNamed(previous, type)));
      }
      return { label, type: type!, mapKey, name: plan.name, number: numbers[i]!, options, group: undefined };
    });
    return {
      name,
      reserved: reserved.length === 0 ? [] : [reserved],
      options: [],
      fields,
      oneofs: [],
      extensionRanges: [],
      messages,
      enums: [],
      extends: [],
    };
  }

  #formOf(type: DataType, nullable: boolean): FieldForm {
    const label = nullable ? 'optional' : undefined;
    switch (type.kind) {
      case 'ARRAY':
        return { ...this.#formOf(type.element, false), label: 'repeated' };
      case 'MAP':
        return { ...this.#formOf(type.value, false), label: undefined, mapKey: 'string' };
      case 'STRUCT':
        return { label, type: undefined, struct: type.fields };
      case 'DECIMAL': {
        this.#imports.add('confluent/meta.proto');
        const facts = [fact('precision', type.precision), fact('scale', type.scale)];
        const value: OptionValue = { kind: 'map', entries: [{ key: 'params', value: { kind: 'list', items: facts } }] };
        const options = [{ name: '(confluent.field_meta)', value }];
        return { label, type: this.#imported('confluent/type/decimal.proto', 'confluent.type.Decimal'), options };
      }
      case 'DATE':
        return { label, type: this.#imported('google/type/date.proto', 'google.type.Date') };
      case 'TIME':
        return { label, type: this.#imported('google/type/timeofday.proto', 'google.type.TimeOfDay') };
      case 'TIMESTAMP':
        if (type.zoned !== undefined) return { label, type: 'string' };
        return { label, type: this.#imported('google/protobuf/timestamp.proto', 'google.protobuf.Timestamp') };
      case 'BOOLEAN':
        return { label, type: 'bool' };
      case 'INTEGER':
        return { label, type: 'int32' };
      case 'BIGINT':
        return { label, type: 'int64' };
      case 'DOUBLE':
        return { label, type: 'double' };
      case 'STRING':
        return { label, type: 'string' };
      case 'BYTES':
        return { label, type: 'bytes' };
    }
  }

  /** A package of our own with such a part would hide the one that is meant. */
  #imported(path: string, name: string): string {
    this.#imports.add(path);
    const hidden = this.#package.split('.').includes(name.slice(0, name.indexOf('.')));
    return hidden ? `.${name}` : name;
  }
}

function fact(key: string, value: number): OptionValue {
  const text = (is: string): OptionValue => ({ kind: 'text', text: is });
  return {
    kind: 'map',
    entries: [
      { key: 'key', value: text(key) },
      { key: 'value', value: text(String(value)) },
    ],
  };
}

/** The fields of the STRUCT in a type. */
export function structFields(type: DataType): readonly StructField[] {
  if (type.kind === 'STRUCT') return type.fields;
  if (type.kind === 'ARRAY') return structFields(type.element);
  return type.kind === 'MAP' ? structFields(type.value) : [];
}

/** Messages and fields share the names of a message. */
class NestedNames {
  readonly #taken: Set<string>;

  constructor(fields: readonly string[]) {
    // A map has a message of its own, and an optional field a oneof, whose names others make.
    this.#taken = new Set(fields.flatMap((name) => [name, `_${name}`, `${capital(name)}Entry`]));
  }

  of(field: string, ending: string): string {
    let name = `${capital(field)}${ending}`;
    while (this.#taken.has(name)) name += '_';
    this.#taken.add(name);
    return name;
  }
}

function capital(name: string): string {
  return `${name[0]!.toUpperCase()}${name.slice(1)}`;
}

interface Numbering {
  readonly numbers: readonly number[];
  /** The fields before, whose numbers are kept. */
  readonly kept: readonly (ProtoField | undefined)[];
  readonly reserved: readonly NumberRange[];
}

function numbered(plans: readonly FieldPlan[], previous: ProtoMessage | undefined): Numbering {
  const before = new Map(previous?.fields.map((field) => [field.name, field]));
  const kept = plans.map((plan) => {
    const old = before.get(plan.name);
    return old !== undefined && isReadAs(old, plan, previous) ? old : undefined;
  });
  const taken = new Set(kept.map((old) => old?.number));
  const gone = (previous?.fields ?? []).map(({ number }) => number).filter((number) => !taken.has(number));
  const reserved = [
    ...(previous?.reserved.flat() ?? []).filter((item) => typeof item !== 'string'),
    ...gone.map((number) => ({ from: number, to: number })),
  ];
  const isReserved = (number: number) => reserved.some(({ from, to }) => number >= from && number <= to);
  const ends = reserved.map(({ to }) => to).filter((to) => to < numberMax);
  let last = Math.max(0, ...ends, ...kept.map((old) => old?.number ?? 0));
  const next = () => {
    do last = last >= numberMax ? 1 : last === 18_999 ? 20_000 : last + 1;
    while (isReserved(last) || taken.has(last));
    taken.add(last);
    return last;
  };
  return { numbers: kept.map((old) => old?.number ?? next()), kept, reserved };
}

/** Records with the one are read with the other: integers get wider and narrower, everything else stays. */
function isReadAs(old: ProtoField, { mapKey, label, type, struct }: FieldPlan, previous?: ProtoMessage): boolean {
  if (old.mapKey !== mapKey || (old.label === 'repeated') !== (label === 'repeated')) return false;
  if (struct !== undefined) return nestedNamed(previous, old.type) !== undefined;
  const plain = (of: string) => (/^int(32|64)$/.test(of) ? 'int' : of.replace(/^\./, ''));
  return plain(old.type) === plain(type!);
}
