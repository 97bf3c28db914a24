// Records in Confluent's Protobuf wire format to rows: behind the frame stands the path of the message in its schema (a count and as many
// indexes, in zigzag varints; a single 0 is the first message), then the message. A reader is compiled once per schema id and message; that of
// most records is the one of the record before.
import type { StructField, Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { linkProto, type LinkedFile, type MessageType } from '../protobuf/descriptors.js';
import { frameSize, schemaIdOf } from '../wire-format.js';
import type { ResolveSchema, Wrapping } from './avro-decoder.js';
import { deletedField, type WireField } from './format.js';
import type { Decode } from './json-decoder.js';
import { ProtobufInput } from './protobuf-input.js';
import { messageReader, type ReaderOptions } from './protobuf-reader.js';

export interface ProtobufDecoderOptions extends ReaderOptions {
  readonly fields: readonly WireField[];
  readonly width: number;
  readonly wrapping: Wrapping;
  readonly resolve: ResolveSchema;
}

type ReadRow = (input: ProtobufInput) => Value[] | null;

interface Schema {
  readonly linked: LinkedFile;
  /** By the path of the message. */
  readonly readers: Map<string, ReadRow>;
  first: ReadRow | undefined;
}

/** As deep as messages are nested. */
const pathMax = 64;

export function createProtobufDecoder(options: ProtobufDecoderOptions): Decode {
  const input = new ProtobufInput();
  const schemas = new Map<number, Schema>();
  let lastId = -1;
  let last: Schema | undefined;
  return (bytes, start, end) => {
    const id = schemaIdOf(bytes, start, end);
    if (id !== lastId || last === undefined) {
      last = schemas.get(id);
      if (last === undefined) schemas.set(id, (last = schemaOf(options, id)));
      lastId = id;
    }
    input.open(bytes, start + frameSize, end);
    let read: ReadRow;
    if (bytes[input.at] === 0 && input.at < end) {
      input.at++;
      read = last.first ??= compile(options, messageAt(last.linked, [0]));
    } else read = readerAt(options, last, pathOf(input));
    const row = read(input);
    if (input.at !== end) input.fail('bytes are left behind it');
    return row;
  };
}

function schemaOf({ resolve }: ProtobufDecoderOptions, id: number): Schema {
  const imports = resolve.imports?.(id);
  return { linked: linkProto(resolve(id), (path) => imports?.get(path)), readers: new Map(), first: undefined };
}

function pathOf(input: ProtobufInput): number[] {
  const count = input.sint32();
  if (count < 1 || count > pathMax) input.fail('the path of its message is out of bounds');
  return Array.from({ length: count }, () => input.sint32());
}

function readerAt(options: ProtobufDecoderOptions, { linked, readers }: Schema, path: readonly number[]): ReadRow {
  const key = path.join();
  let read = readers.get(key);
  if (read === undefined) readers.set(key, (read = compile(options, messageAt(linked, path))));
  return read;
}

function messageAt({ messages }: LinkedFile, path: readonly number[]): MessageType {
  let among = messages;
  let found: MessageType | undefined;
  for (const index of path) {
    found = among[index];
    if (found === undefined) {
      throw new AppError('bad-record', `the schema of the record has no message at ${path.join('.')}`);
    }
    among = found.messages;
  }
  return found!;
}

function compile(options: ProtobufDecoderOptions, message: MessageType): ReadRow {
  return options.wrapping === 'envelope' ? compileEnvelope(options, message) : compileRow(options, message);
}

function compileRow(options: ProtobufDecoderOptions, message: MessageType): ReadRow {
  const { fields, width, wrapping } = options;
  const marked = wrapping === 'flat-with-deleted';
  const mark: StructField = { name: deletedField, type: { kind: 'STRING' } };
  const { empty, read } = messageReader(message.fields, marked ? [...fields, mark] : fields, '', options);
  const columns = fields.map(({ column }) => column);
  const inOrder = columns.length === width && columns.every((column, i) => column === i);
  if (inOrder && !marked) {
    return (input) => {
      const row = empty.slice();
      read(input, row);
      return row;
    };
  }
  const blank: Value[] = Array.from({ length: width }, () => null);
  return (input) => {
    const values = empty.slice();
    read(input, values);
    if (marked && values[columns.length] === 'true') return null;
    const row = blank.slice();
    for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i]!;
    return row;
  };
}

/** Reads `after`; null when it is not there, which only deletes have. */
function compileEnvelope(options: ProtobufDecoderOptions, message: MessageType): ReadRow {
  const after = message.fields.find(({ name }) => name === 'after');
  if (after?.type.kind !== 'message' || after.repeated || after.group)
    throw new AppError('bad-record', 'the schema of the record is no envelope: it has no message after');
  const readAfter = compileRow({ ...options, wrapping: 'flat' }, after.type);
  const tag = after.number * 8 + 2;
  return (input) => {
    let row: Value[] | null = null;
    while (input.at < input.end) {
      const found = input.tag();
      if (found === tag) {
        const outer = input.enter();
        row = readAfter(input);
        input.leave(outer);
      } else input.skip(found);
    }
    return row;
  };
}
