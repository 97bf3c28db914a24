// Records in Confluent's Avro wire format to rows. A reader is compiled once per schema id; the id of most records is the one of
// the record before.
import type { Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { frameSize, schemaIdOf } from '../wire-format.js';
import { AvroInput } from './avro-input.js';
import { parseAvroSchema, type AvroNode } from './avro-node.js';
import { avroReader, fieldSteps } from './avro-reader.js';
import { deletedField, type WireField } from './format.js';
import type { Decode } from './json-decoder.js';

export interface ResolveSchema {
  /** The text of a writer schema by its id; throws unknown-schema. */
  (id: number): string;
  /** The texts that it refers to, by the names under which it does, each behind those that it needs. */
  readonly imports?: (id: number) => ReadonlyMap<string, string>;
}

/** What lies around the columns of a value. */
export type Wrapping =
  /** The record is the row. */
  | 'flat'
  /** A field `__deleted` marks the last row of a delete. */
  | 'flat-with-deleted'
  /** Debezium's before, after, source, op. */
  | 'envelope';

export interface AvroDecoderOptions {
  readonly fields: readonly WireField[];
  readonly width: number;
  readonly bare: boolean;
  readonly wrapping: Wrapping;
  readonly resolve: ResolveSchema;
}

type ReadRow = (cursor: AvroInput) => Value[] | null;

export function createAvroDecoder(options: AvroDecoderOptions): Decode {
  const cursor = new AvroInput();
  const compiled = new Map<number, ReadRow>();
  let lastId = -1;
  let last: ReadRow | undefined;
  return (bytes, start, end) => {
    const id = schemaIdOf(bytes, start, end);
    if (id !== lastId || last === undefined) {
      let known = compiled.get(id);
      if (known === undefined) compiled.set(id, (known = compile(options, resolved(options.resolve, id))));
      last = known;
      lastId = id;
    }
    cursor.open(bytes, start + frameSize, end);
    const row = last(cursor);
    if (cursor.at !== end) cursor.fail('bytes are left behind it');
    return row;
  };
}

function resolved(resolve: ResolveSchema, id: number): AvroNode {
  return parseAvroSchema(resolve(id), resolve.imports?.(id).values());
}

function compile(options: AvroDecoderOptions, node: AvroNode): ReadRow {
  const { fields, bare, wrapping } = options;
  if (bare) {
    const read = avroReader(node, fields[0]!.type, fields[0]!.name);
    return (cursor) => [read(cursor)];
  }
  const record = recordOf(node);
  if (wrapping !== 'envelope') return compileRow(options, record, wrapping === 'flat-with-deleted');
  return compileEnvelope(options, record);
}

function compileRow({ fields, width }: AvroDecoderOptions, record: RecordNode, marked: boolean): ReadRow {
  const deletedColumn = fields.length;
  const wanted = marked ? [...fields, { name: deletedField, type: { kind: 'STRING' } as const }] : fields;
  const steps = fieldSteps(record.fields, wanted, '');
  const columns = fields.map((f) => f.column);
  const empty: Value[] = Array.from({ length: width }, () => null);
  return (cursor) => {
    const row = empty.slice();
    let deleted = false;
    for (let i = 0; i < steps.length; i++) {
      const { read, target } = steps[i]!;
      const value = read(cursor);
      if (target === deletedColumn) deleted = value === 'true';
      else if (target >= 0) row[columns[target]!] = value;
    }
    return deleted ? null : row;
  };
}

/** Reads `after`; null when it is null, which only deletes have. */
function compileEnvelope(options: AvroDecoderOptions, record: RecordNode): ReadRow {
  let readAfter: ReadRow | undefined;
  const steps = record.fields.map(({ name, node }) => {
    if (name !== 'after') return fieldSteps([{ name, node }], [], '')[0]!.read;
    const branches = node.kind === 'union' ? node.branches : [node];
    const readers = branches.map((branch) =>
      branch.kind === 'null' ? undefined : compileRow(options, recordOf(branch), false),
    );
    readAfter = node.kind === 'union' ? (cursor) => readers[cursor.small()]?.(cursor) ?? null : readers[0]!;
    return undefined;
  });
  if (readAfter === undefined)
    throw new AppError('bad-record', 'the schema of the record is no envelope: it has no field after');
  const after = readAfter;
  return (cursor) => {
    let row: Value[] | null = null;
    for (const step of steps) {
      if (step === undefined) row = after(cursor);
      else step(cursor);
    }
    return row;
  };
}

type RecordNode = Extract<AvroNode, { kind: 'record' }>;

function recordOf(node: AvroNode): RecordNode {
  if (node.kind === 'record') return node;
  if (node.kind === 'union') {
    throw new AppError('bad-record', 'the schema of the record is a union, which no row can be read from');
  }
  throw new AppError('bad-record', `the schema of the record is Avro ${node.kind}, not a record`);
}
