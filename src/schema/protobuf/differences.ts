// Whether data of one Protobuf schema is read with another, by the rules of Confluent's registry: messages are compared by name, fields by
// number. What the wire does not tell apart (names, packages, the order of messages, enums, integers of any width) may change; a message
// that goes, a type of another wire form, another message, a required field and what a oneof would displace may not.
import type { Effort } from '../effort.js';
import type { EnumType, FieldType, LinkedFile, MessageType, ValueType } from './descriptors.js';

const breachesMax = 20;

/** What stands in the way, under the names that Confluent's registry has for it; empty: nothing. */
export function protobufUnreadable(reader: LinkedFile, writer: LinkedFile, effort: Effort): readonly string[] {
  const comparison = new Comparison(effort);
  comparison.files(writer, reader);
  return comparison.breaches;
}

interface MessagePair {
  readonly before: MessageType;
  readonly after: MessageType;
  readonly path: string;
}

class Comparison {
  readonly breaches: string[] = [];
  readonly #effort: Effort;
  /** Pairs that are compared, or will be: a message may contain itself. */
  readonly #met = new Map<MessageType, Set<MessageType>>();
  /** Messages may name one another in a chain of any length, so it is no recursion. */
  readonly #waiting: MessagePair[] = [];

  constructor(effort: Effort) {
    this.#effort = effort;
  }

  files(before: LinkedFile, after: LinkedFile): void {
    this.#messages(before.messages, after.messages, '#');
    for (let pair = this.#waiting.pop(); pair !== undefined; pair = this.#waiting.pop()) this.#compare(pair);
  }

  #messages(before: readonly MessageType[], after: readonly MessageType[], path: string): void {
    const byName = new Map(after.map((message) => [message.source.name, message]));
    for (const message of before) {
      const { name } = message.source;
      const other = byName.get(name);
      if (other === undefined) this.#add('MESSAGE_REMOVED', `${path}/${name}`, 'the message is gone');
      else this.#message(message, other, `${path}/${name}`);
    }
  }

  #message(before: MessageType, after: MessageType, path: string): void {
    const known = this.#met.get(before) ?? new Set();
    if (known.has(after)) return;
    this.#met.set(before, known.add(after));
    this.#waiting.push({ before, after, path });
  }

  #compare({ before, after, path }: MessagePair): void {
    this.#effort.spend(1 + before.fields.length + after.fields.length);
    const old = new Map(before.fields.map((field) => [field.number, field]));
    const now = new Map(after.fields.map((field) => [field.number, field]));
    const oneofs = new Map<string, FieldType[]>();
    for (const field of after.fields) {
      const { oneof } = field;
      if (oneof === undefined) continue;
      const members = oneofs.get(oneof);
      if (members === undefined) oneofs.set(oneof, [field]);
      else members.push(field);
    }
    for (const field of before.fields) {
      const other = now.get(field.number);
      const at = `${path}/${field.number}`;
      if (other !== undefined) this.#field(field, other, at);
      else if (field.source.label === 'required') this.#add('REQUIRED_FIELD_REMOVED', at, 'a required field is gone');
      else if (field.oneof !== undefined && oneofs.has(field.oneof))
        this.#add('ONEOF_FIELD_REMOVED', at, `a field of oneof ${field.oneof} is gone`);
    }
    for (const field of after.fields) {
      if (!old.has(field.number) && field.source.label === 'required')
        this.#add('REQUIRED_FIELD_ADDED', `${path}/${field.number}`, 'a required field is new');
    }
    for (const [name, members] of oneofs) this.#oneof(old, members, `${path}/${name}`);
    this.#messages(before.messages, after.messages, path);
  }

  /** Of fields that were set together only one is kept where they are in one oneof now. */
  #oneof(old: ReadonlyMap<number, FieldType>, members: readonly FieldType[], path: string): void {
    const were = members.map(({ number }) => old.get(number));
    const moved = were.filter((field) => field !== undefined && field.oneof === undefined).length;
    const there = were.some((field) => field?.oneof !== undefined);
    if (moved > 1)
      this.#add('MULTIPLE_FIELDS_MOVED_TO_ONEOF', path, 'fields that could stand together are alternatives');
    else if (moved === 1 && there)
      this.#add('FIELD_MOVED_TO_EXISTING_ONEOF', path, 'a field has become an alternative of others');
  }

  #field(before: FieldType, after: FieldType, path: string): void {
    const [was, is] = [kindOf(before), kindOf(after)];
    if (was !== is) return this.#add('FIELD_KIND_CHANGED', path, `${was} has become ${is}`);
    if (is === 'map') this.#scalars(before.mapKey!, after.mapKey!, path);
    if (before.type.kind === 'message' && after.type.kind === 'message')
      return this.#named(before.type, after.type, path);
    if (before.type.kind === 'message' || after.type.kind === 'message')
      return this.#add('FIELD_KIND_CHANGED', path, 'a scalar and a message');
    const form = wireForm(before.type);
    if (this.#scalars(form, wireForm(after.type), path) && before.repeated !== after.repeated && form !== 'text')
      this.#add('FIELD_NUMERIC_LABEL_CHANGED', path, 'a number has become several, or several one');
  }

  #scalars(before: string, after: string, path: string): boolean {
    const [was, is] = [scalarForm(before), scalarForm(after)];
    if (was === is) return true;
    this.#add('FIELD_SCALAR_KIND_CHANGED', path, `${was} has become ${is}`);
    return false;
  }

  #named(before: MessageType, after: MessageType, path: string): void {
    if (localName(before) !== localName(after))
      return this.#add('FIELD_NAMED_TYPE_CHANGED', path, `${before.fullName} has become ${after.fullName}`);
    this.#message(before, after, path);
  }

  #add(type: string, path: string, what: string): void {
    if (this.breaches.length < breachesMax) this.breaches.push(`${type} at ${path} (${what})`);
  }
}

function kindOf({ type, mapKey }: FieldType): string {
  if (mapKey !== undefined) return 'map';
  return type.kind === 'message' ? 'message' : 'scalar';
}

function wireForm(type: Exclude<ValueType, MessageType> | EnumType): string {
  return type.kind === 'enum' ? 'number' : scalarForm(type.scalar);
}

/** Scalars that are read as each other. */
function scalarForm(scalar: string): string {
  switch (scalar) {
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
    case 'bool':
      return 'number';
    case 'sint32':
    case 'sint64':
      return 'signed number';
    case 'string':
    case 'bytes':
      return 'text';
    case 'fixed32':
    case 'sfixed32':
      return 'fixed 32 bits';
    case 'fixed64':
    case 'sfixed64':
      return 'fixed 64 bits';
    default:
      return scalar;
  }
}

/** Without the package, which may change. */
function localName({ fullName, package: of }: MessageType): string {
  return of === '' ? fullName : fullName.slice(of.length + 1);
}
