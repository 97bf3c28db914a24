// Records to rows: values into an array with a place per column of the schema, keys into the key's values in key order. Compiled
// per schema; what cannot be read is a bad-record error with the column named, never a NULL in silence.
import type { Row, RowSchema, Value } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import { frameSize, schemaIdOf } from '../wire-format.js';
import { createAvroDecoder, type ResolveSchema, type Wrapping } from './avro-decoder.js';
import { deletedField, keyFields, valueFields, type Format, type KeyShape, type WireField } from './format.js';
import { jsonSurrounds } from './envelope-frame.js';
import { createJsonDecoder, encoderFrame, type Decode } from './json-decoder.js';
import type { JsonNode } from './json-parse.js';
import { bareFrame } from './json-value-writer.js';
import { kafkaField, readKafka } from './kafka-format.js';
import { createProtobufDecoder } from './protobuf-decoder.js';

export interface ValueDecoderOptions {
  readonly format: Format;
  readonly schema: RowSchema;
  /** The columns that the value holds; all by default. Others stay null in the row (the caller fills them from the key). */
  readonly valueColumns?: readonly number[] | undefined;
  /** `flat` by default. */
  readonly wrapping?: Wrapping | undefined;
  /** Writer schemas by id; for AVRO and PROTOBUF. */
  readonly resolve?: ResolveSchema | undefined;
  /** PROTOBUF: an ARRAY or MAP that a record does not have is NULL, as captured tables write it; else it is empty. */
  readonly listsAreNull?: boolean | undefined;
  /** JSON stands in {"schema", "payload"}. */
  readonly hasSchema?: boolean | undefined;
  /** JSON has the id of a registered schema in front of it. */
  readonly framed?: boolean | undefined;
}

export interface ValueDecoder {
  /**
   * A fresh row: all columns of the schema, null where the record has nothing. Null: the record stands for a delete (the row marked
   * `__deleted`, an envelope without `after`, JSON `null`).
   */
  decode(bytes: Buffer, start: number, end: number): Value[] | null;
}

export interface KeyDecoderOptions {
  readonly format: Format;
  readonly schema: RowSchema;
  readonly keyShape: KeyShape;
  readonly resolve?: ResolveSchema | undefined;
  readonly hasSchema?: boolean | undefined;
  /** JSON has the id of a registered schema in front of it. */
  readonly framed?: boolean | undefined;
}

export interface KeyDecoder {
  /** The key's values in key order. */
  decode(bytes: Buffer, start: number, end: number): Row;
}

export function createValueDecoder(options: ValueDecoderOptions): ValueDecoder {
  const { format, schema, valueColumns, wrapping = 'flat', resolve, hasSchema = false, framed = false } = options;
  const { listsAreNull = false } = options;
  const fields = valueFields(schema, valueColumns);
  const width = schema.columns.length;
  const parts = { format, fields, width, bare: false, wrapping, resolve, hasSchema, framed, listsAreNull };
  return { decode: decoder(parts) };
}

export function createKeyDecoder(options: KeyDecoderOptions): KeyDecoder {
  const { format, schema, keyShape, resolve, hasSchema = false, framed = false } = options;
  const fields = keyFields(schema);
  const bare = keyShape === 'bare';
  const decode = decoder({
    format,
    fields,
    width: fields.length,
    bare,
    wrapping: 'flat',
    resolve,
    hasSchema,
    framed,
    listsAreNull: false,
  });
  return {
    // Only an object may be JSON `null`, and a key of several columns without any is one of nulls.
    decode: (bytes, start, end) => decode(bytes, start, end) ?? fields.map(() => null),
  };
}

interface DecoderParts {
  readonly format: Format;
  readonly fields: readonly WireField[];
  readonly width: number;
  readonly bare: boolean;
  readonly wrapping: Wrapping;
  readonly resolve: ResolveSchema | undefined;
  readonly hasSchema: boolean;
  readonly framed: boolean;
  readonly listsAreNull: boolean;
}

function decoder({ framed, ...parts }: DecoderParts): Decode {
  const decode = unframed(parts);
  if (!framed) return decode;
  return (bytes, start, end) => {
    // Which schema it is does not matter: the names of its fields say all.
    schemaIdOf(bytes, start, end);
    return decode(bytes, start + frameSize, end);
  };
}

function unframed({
  format,
  fields,
  width,
  bare,
  wrapping,
  resolve,
  hasSchema,
  listsAreNull,
}: Omit<DecoderParts, 'framed'>): Decode {
  switch (format) {
    case 'JSON': {
      const frame = bare ? bareFrame : jsonFrame(fields, wrapping);
      if (wrapping === 'envelope') {
        const envelope = jsonSurrounds(Buffer.alloc(0));
        return createJsonDecoder({ fields, width, bare, frame, envelope, hasSchema, unwrap: unwrappers.envelope });
      }
      const unwrap = unwrappers[wrapping] ?? (hasSchema ? payload : undefined);
      return createJsonDecoder({ fields, width, bare, frame, hasSchema, unwrap });
    }
    case 'AVRO':
      assert(resolve !== undefined, 'an AVRO decoder needs the writer schemas');
      return createAvroDecoder({ fields, width, bare, wrapping, resolve });
    case 'PROTOBUF':
      assert(resolve !== undefined, 'a PROTOBUF decoder needs the writer schemas');
      return createProtobufDecoder({ fields, width, wrapping, resolve, listsAreNull });
    case 'KAFKA': {
      const field = kafkaField(fields);
      const empty: Value[] = Array.from({ length: width }, () => null);
      return (bytes, start, end) => {
        const row = empty.slice();
        row[field.column] = readKafka(field, bytes, start, end);
        return row;
      };
    }
  }
}

/** The form of live rows, which the fast path expects; marked deletes go the long way. */
function jsonFrame(fields: readonly WireField[], wrapping: Wrapping) {
  return encoderFrame(fields, wrapping === 'flat-with-deleted' ? `,"${deletedField}":"false"` : '');
}

const unwrappers: Record<Wrapping, ((node: JsonNode) => JsonNode) | undefined> = {
  flat: undefined,
  'flat-with-deleted': (node) => {
    const row = payload(node);
    if (!(row instanceof Map)) return row;
    const mark = (row as ReadonlyMap<string, JsonNode>).get(deletedField);
    return mark === 'true' || mark === true ? null : row;
  },
  envelope: (node) => {
    const envelope = payload(node);
    if (!(envelope instanceof Map)) return envelope;
    return (envelope as ReadonlyMap<string, JsonNode>).get('after') ?? null;
  },
};

/** Connect's JSON converter with schemas on writes {schema, payload}. */
function payload(node: JsonNode): JsonNode {
  if (!(node instanceof Map)) return node;
  const fields = node as ReadonlyMap<string, JsonNode>;
  return fields.size === 2 && fields.has('schema') && fields.has('payload') ? fields.get('payload')! : node;
}
