// JSON records to rows. The fast path expects exactly the bytes that our own encoder writes (field order, no spaces) and reads
// numbers and strings in place; anything else sends the whole record through the full parser, which takes every JSON object:
// other order, spaces, missing and unknown fields, names in another case. Both give the same values.
import type { Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { payloadStart } from './connect-json.js';
import type { WireField } from './format.js';
import { coerceJson, fieldFinder } from './json-coerce.js';
import { parseJson, type JsonNode } from './json-parse.js';
import type { Surrounds } from './envelope-frame.js';
import { jsonRowReader, startsAt } from './json-row-reader.js';
import { objectFrame, type JsonFrame } from './json-value-writer.js';
import { decodeUtf8, excerpt } from './utf8.js';

export interface JsonDecoderOptions {
  readonly fields: readonly WireField[];
  /** Values in a decoded row; the fields' `column`s are places in it. */
  readonly width: number;
  /** What our encoder writes around the fields. */
  readonly frame: JsonFrame;
  /** What our encoder writes around the images of an envelope; `frame` is that of an image. */
  readonly envelope?: Surrounds | undefined;
  /** bare: the single field is the whole text. */
  readonly bare: boolean;
  /** It stands behind the schema of the record. */
  readonly hasSchema: boolean;
  /** Finds the object with the fields in a record's node; null: the record stands for a delete. */
  readonly unwrap?: ((node: JsonNode) => JsonNode) | undefined;
}

/** The row, or null where the record stands for a delete. */
export type Decode = (bytes: Buffer, start: number, end: number) => Value[] | null;

export function createJsonDecoder(options: JsonDecoderOptions): Decode {
  const { fields, frame, width, envelope, hasSchema } = options;
  const empty: Value[] = Array.from({ length: width }, () => null);
  const inner = envelope === undefined ? flatReader(fields, frame) : envelopeReader(fields, frame, envelope);
  const read = inner && hasSchema ? behindSchema(inner) : inner;
  return (bytes, start, end) => {
    if (read !== undefined) {
      const row = empty.slice();
      const found = read(bytes, start, end, row);
      if (found !== undefined) return found;
    }
    return decodeFully(options, empty, bytes, start, end);
  };
}

/** The row, or null for a delete; undefined: the record has another form, and what is in `row` does not count. */
type ReadRecord = (bytes: Buffer, start: number, end: number, row: Value[]) => Value[] | null | undefined;

function flatReader(fields: readonly WireField[], frame: JsonFrame): ReadRecord | undefined {
  const read = jsonRowReader(fields, frame);
  return read && ((bytes, start, end, row) => (read(bytes, start, end, row) === end ? row : undefined));
}

/** The schema is the same text in record after record: what the newest one had in front of its payload is what the next one is held against. */
function behindSchema(read: ReadRecord): ReadRecord {
  let front: Buffer | undefined;
  return (bytes, start, end, row) => {
    if (bytes[end - 1] !== 125) return undefined;
    if (front === undefined || !startsAt(bytes, start, front)) {
      const at = payloadStart(bytes, start, end);
      if (at < 0) return undefined;
      front = Buffer.from(bytes.subarray(start, at));
    }
    return read(bytes, start + front.length, end - 1, row);
  };
}

/** The row is `after`; what stands before it is passed over, and what comes behind it is taken for what our encoder writes there. */
function envelopeReader(
  fields: readonly WireField[],
  frame: JsonFrame,
  { head, absent, between }: Surrounds,
): ReadRecord | undefined {
  const read = jsonRowReader(fields, frame);
  if (read === undefined) return undefined;
  const behind = Buffer.from(',"source":{"version":"');
  const unread: Value[] = [];
  return (bytes, start, end, row) => {
    if (!startsAt(bytes, start, head)) return undefined;
    let p = start + head.length;
    const hasOld = !startsAt(bytes, p, absent);
    p = hasOld ? read(bytes, p, end, unread) : p + absent.length;
    if (p < 0 || !startsAt(bytes, p, between)) return undefined;
    p += between.length;
    const isDelete = startsAt(bytes, p, absent);
    p = isDelete ? p + absent.length : read(bytes, p, end, row);
    // What lies behind the record is another's.
    if (p < 0 || p + behind.length > end || !startsAt(bytes, p, behind) || bytes[end - 1] !== 125) return undefined;
    return isDelete ? null : row;
  };
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
