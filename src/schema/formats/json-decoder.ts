// JSON records to rows. The fast path expects exactly the bytes that our own encoder writes (field order, no spaces) and reads
// numbers and strings in place; anything else sends the whole record through the full parser, which takes every JSON object:
// other order, spaces, missing and unknown fields, names in another case. Both give the same values.
import type { Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { WireField } from './format.js';
import { coerceJson, fieldFinder } from './json-coerce.js';
import { parseJson, type JsonNode } from './json-parse.js';
import { objectFrame, type JsonFrame } from './json-value-writer.js';
import { readScalar, scalarCode, ScalarInput } from './json-scalars.js';
import { decodeUtf8, excerpt } from './utf8.js';

export interface JsonDecoderOptions {
  readonly fields: readonly WireField[];
  /** Values in a decoded row; the fields' `column`s are places in it. */
  readonly width: number;
  /** What our encoder writes around the fields. */
  readonly frame: JsonFrame;
  /** bare: the single field is the whole text. */
  readonly bare: boolean;
  /** Finds the object with the fields in a record's node; null: the record stands for a delete. */
  readonly unwrap?: ((node: JsonNode) => JsonNode) | undefined;
}

/** The row, or null where the record stands for a delete. */
export type Decode = (bytes: Buffer, start: number, end: number) => Value[] | null;

export function createJsonDecoder(options: JsonDecoderOptions): Decode {
  const { fields, frame, width } = options;
  const prefixBytes = Buffer.concat(frame.prefixes);
  const prefixEnd = new Int32Array(fields.length);
  let length = 0;
  frame.prefixes.forEach((prefix, i) => (prefixEnd[i] = length += prefix.length));
  const suffix = frame.suffix;
  const codes = Uint8Array.from(fields, (f) => scalarCode(f.type));
  const columns = Int32Array.from(fields, (f) => f.column);
  const types = fields.map((f) => f.type);
  const empty: Value[] = Array.from({ length: width }, () => null);
  const cursor = new ScalarInput();
  // Nested types have no fast reader, and a record is read by one path alone.
  const hasFastPath = codes.every((code) => code !== 0);

  function decodeFast(bytes: Buffer, start: number, end: number): Value[] | undefined {
    const row = empty.slice();
    cursor.open(bytes, start, end);
    let p = start;
    let k = 0;
    for (let i = 0; i < codes.length; i++) {
      for (const to = prefixEnd[i]!; k < to; k++) if (bytes[p++] !== prefixBytes[k]) return undefined;
      if (bytes[p] === 110) {
        if (bytes[p + 1] !== 117 || bytes[p + 2] !== 108 || bytes[p + 3] !== 108) return undefined;
        p += 4;
        continue;
      }
      const value = readScalar(cursor, codes[i]!, types[i]!, p);
      if (value === undefined) return undefined;
      p = cursor.next;
      row[columns[i]!] = value;
    }
    if (p + suffix.length !== end) return undefined;
    for (let s = 0; s < suffix.length; s++) if (bytes[p + s] !== suffix[s]) return undefined;
    return row;
  }

  return (bytes, start, end) =>
    (hasFastPath ? decodeFast(bytes, start, end) : undefined) ?? decodeFully(options, empty, bytes, start, end);
}

/** The frame that our encoder writes for these fields. */
export function encoderFrame(fields: readonly WireField[], extra = ''): JsonFrame {
  return objectFrame(
    fields.map((f) => f.name),
    extra,
  );
}

function decodeFully(
  options: JsonDecoderOptions,
  empty: readonly Value[],
  bytes: Buffer,
  start: number,
  end: number,
): Value[] | null {
  const { fields, bare, unwrap } = options;
  const parsed = parse(bytes, start, end);
  const node = unwrap === undefined ? parsed : unwrap(parsed);
  const row = empty.slice();
  if (bare) {
    row[fields[0]!.column] = coerceJson(fields[0]!.name, fields[0]!.type, node);
    return row;
  }
  if (node === null) return null;
  if (!(node instanceof Map)) {
    throw new AppError('bad-record', 'the record is no JSON object', { detail: excerptText(bytes, start, end) });
  }
  const find = fieldFinder(node as ReadonlyMap<string, JsonNode>);
  for (const { name, type, column } of fields) row[column] = coerceJson(name, type, find(name));
  return row;
}

function parse(bytes: Buffer, start: number, end: number): JsonNode {
  const text = decodeUtf8(bytes, start, end);
  if (text === undefined) {
    throw new AppError('bad-record', 'the record is not valid UTF-8', {
      detail: `bytes ${excerpt(bytes, start, end)}`,
    });
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw new AppError('bad-record', 'the record is not JSON', {
      detail: `${error instanceof Error ? error.message : String(error)} in ${excerptText(bytes, start, end)}`,
      cause: error,
    });
  }
}

function excerptText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, Math.min(end, start + 200));
  return end - start > 200 ? `${text}...` : text;
}
