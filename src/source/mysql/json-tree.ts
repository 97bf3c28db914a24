// MySQL's binary JSON as a tree that can be changed, and back. What is not touched stays as the bytes that it was, so only the objects and
// arrays on the way to a change are taken apart. They are written in the wide form, which readers take at any size.
import { AppError } from '../../core/errors.js';

const type = { smallObject: 0, largeObject: 1, smallArray: 2, largeArray: 3, string: 12, opaque: 15 } as const;
/** Bytes of values with a length of their own; literals and the small numbers lie in two bytes of an entry. */
const valueBytes: ReadonlyMap<number, number> = new Map([
  [4, 2],
  [5, 2],
  [6, 2],
  [7, 4],
  [8, 4],
  [9, 8],
  [10, 8],
  [11, 8],
]);

export type JsonNode =
  /** The type, and the bytes behind it. */
  | { kind: 'raw'; type: number; bytes: Buffer }
  | { kind: 'array'; items: JsonNode[] }
  /** By the bytes of the name, as latin1 text. */
  | { kind: 'object'; members: Map<string, JsonNode> };

/** A whole document: its type byte, and the rest. An empty one is null, as the server has it. */
export function parseJsonTree(document: Buffer): JsonNode {
  if (document.length === 0) return { kind: 'raw', type: 4, bytes: Buffer.from([0, 0]) };
  return { kind: 'raw', type: document[0]!, bytes: document.subarray(1) };
}

/** The node with its members or items as nodes; one that has none stays as it is. */
export function opened(node: JsonNode): JsonNode {
  if (node.kind !== 'raw' || node.type > type.largeArray) return node;
  const { bytes } = node;
  const width = node.type === type.smallObject || node.type === type.smallArray ? 2 : 4;
  const isObject = node.type <= type.largeObject;
  const read = (at: number) => bytes.readUIntLE(at, width);
  const count = read(0);
  const keys = 2 * width;
  const values = keys + (isObject ? count * (width + 2) : 0);
  const items: JsonNode[] = [];
  for (let i = 0; i < count; i++) items.push(valueAt(bytes, values + i * (width + 1), width));
  if (!isObject) return { kind: 'array', items };
  const members = new Map<string, JsonNode>();
  items.forEach((item, i) => {
    const entry = keys + i * (width + 2);
    const from = read(entry);
    members.set(bytes.toString('latin1', from, from + bytes.readUInt16LE(entry + width)), item);
  });
  return { kind: 'object', members };
}

function valueAt(container: Buffer, entry: number, width: 2 | 4): JsonNode {
  const code = container[entry]!;
  const length = valueBytes.get(code);
  // What fits into an entry lies there.
  if (length !== undefined && length <= width)
    return { kind: 'raw', type: code, bytes: container.subarray(entry + 1, entry + 1 + length) };
  const at = container.readUIntLE(entry + 1, width);
  return { kind: 'raw', type: code, bytes: container.subarray(at, at + (length ?? lengthOf(code, container, at))) };
}

function lengthOf(code: number, source: Buffer, at: number): number {
  switch (code) {
    case type.smallObject:
    case type.smallArray:
      return source.readUInt16LE(at + 2);
    case type.largeObject:
    case type.largeArray:
      return source.readUInt32LE(at + 4);
    case type.string:
      return packedEnd(source, at) - at;
    case type.opaque:
      return packedEnd(source, at + 1) - at;
    default:
      throw new AppError('corrupt-binlog', `a JSON value has the unknown type ${code}`);
  }
}

/** Where the bytes end whose length, in groups of seven bits, stands at `at`. */
function packedEnd(source: Buffer, at: number): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = source[at + i]!;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return at + i + 1 + length;
  }
  throw new AppError('corrupt-binlog', 'a JSON value has a length that does not end');
}

/** The whole document as bytes. */
export function printJsonTree(node: JsonNode): Buffer {
  const [code, bytes] = printed(node);
  return Buffer.concat([Buffer.from([code]), bytes]);
}

function printed(node: JsonNode): readonly [type: number, bytes: Buffer] {
  if (node.kind === 'raw') return [node.type, node.bytes];
  // The server keeps the names in this order, and prints them so.
  const names = node.kind === 'object' ? [...node.members.keys()].toSorted(byLengthAndBytes) : [];
  const items = node.kind === 'object' ? names.map((name) => node.members.get(name)!) : node.items;
  const head = Buffer.alloc(8 + names.length * 6 + items.length * 5);
  const parts: Buffer[] = [head];
  let end = head.length;
  names.forEach((name, i) => {
    head.writeUInt32LE(end, 8 + i * 6);
    head.writeUInt16LE(name.length, 8 + i * 6 + 4);
    parts.push(Buffer.from(name, 'latin1'));
    end += name.length;
  });
  items.forEach((item, i) => {
    const [code, bytes] = printed(item);
    const entry = 8 + names.length * 6 + i * 5;
    head[entry] = code;
    if ((valueBytes.get(code) ?? 8) <= 4) {
      bytes.copy(head, entry + 1);
      return;
    }
    head.writeUInt32LE(end, entry + 1);
    parts.push(bytes);
    end += bytes.length;
  });
  head.writeUInt32LE(items.length, 0);
  head.writeUInt32LE(end, 4);
  return [node.kind === 'object' ? type.largeObject : type.largeArray, Buffer.concat(parts, end)];
}

function byLengthAndBytes(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : 1);
}
