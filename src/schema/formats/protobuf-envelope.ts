// Debezium's envelope in Protobuf: its schema, with the row, the source block and the place in the transaction as messages inside of it, as
// Confluent's converter nests them; and its bytes around the images of a row.
import { ByteWriter } from '../../core/bytes.js';
import type { ChangeOrigin } from '../../core/change-origin.js';
import { assert } from '../../core/errors.js';
import type { Op } from '../../core/record.js';
import type { ProtoMessage } from '../protobuf/proto-file.js';
import { parseProto } from '../protobuf/proto-parser.js';
import { sourceFields, timeFields, transactionFields, type EnvelopeField } from './envelope.js';
import { EnvelopeFrame, type EnvelopeTable } from './envelope-frame.js';
import type { WireField } from './format.js';
import { messageNamed, nestedNamed, SchemaWriter, type ProtobufSchemaOptions } from './protobuf-schema.js';
import { messageShape, type MessageShape } from './protobuf-shape.js';
import { tagOf, wire, writeVarint, writeWide } from './protobuf-write.js';

const row = 'Value';
const source = 'Source';
const transaction = 'block';

export function protobufEnvelopeSchema({ topic, fields, previous }: ProtobufSchemaOptions): string {
  const writer = new SchemaWriter(topic);
  const before = messageNamed(previous, 'Envelope');
  const block = (name: string, of: readonly EnvelopeField[]) =>
    writer.planned(name, of.map(fieldOf), nestedNamed(before, name));
  const value = writer.message(row, fields, nestedNamed(before, row));
  const message = (name: string, of: ProtoMessage | string, label: 'optional' | undefined) =>
    typeof of === 'string' ? { name, label, type: of } : { name, label, type: of.name, nested: of };
  const parts = [
    message('before', value, 'optional'),
    message('after', row, 'optional'),
    message('source', block(source, sourceFields), undefined),
    message('transaction', block(transaction, transactionFields), 'optional'),
    ...timeFields.map(fieldOf),
  ];
  return writer.print([writer.planned('Envelope', parts, before)]);
}

function fieldOf({ name, type, optional }: EnvelopeField) {
  return { name, label: optional ? ('optional' as const) : undefined, type: type === 'snapshot' ? 'string' : type };
}

/** The numbers of an envelope's fields. */
export interface EnvelopeShape {
  readonly value: MessageShape;
  readonly envelope: Numbers;
  readonly source: Numbers;
  readonly transaction: Numbers;
}

type Numbers = (name: string) => number;

export function envelopeShape(text: string, fields: readonly WireField[]): EnvelopeShape {
  const envelope = parseProto(text).messages[0]!;
  const nested = (name: string) => {
    const message = nestedNamed(envelope, name);
    assert(message, `an envelope defines ${name}`);
    return message;
  };
  return {
    value: messageShape(nested(row), fields),
    envelope: numbersOf(envelope),
    source: numbersOf(nested(source)),
    transaction: numbersOf(nested(transaction)),
  };
}

function numbersOf({ name: of, fields }: ProtoMessage): Numbers {
  return (name) => {
    const field = fields.find((each) => each.name === name);
    assert(field, `${of} has the field ${name}`);
    return field.number;
  };
}

/** Each image begins with its length, which its writer sets. */
export class ProtobufEnvelopeFrame extends EnvelopeFrame {
  readonly #scratch = new ByteWriter(512);
  readonly #numbers: EnvelopeShape;
  readonly #sourceTag: number;
  readonly #rowTag: number;
  readonly #transactionTags: {
    readonly message: number;
    readonly id: number;
    readonly total: number;
    readonly inTable: number;
  };
  readonly #opTag: number;
  /** Of `source` what stands before its row and behind it. */
  #before: Buffer = Buffer.alloc(0);
  #behind: Buffer = Buffer.alloc(0);

  constructor(of: EnvelopeTable, head: Buffer, numbers: EnvelopeShape) {
    const tag = (name: string) => tagBytes(tagOf(numbers.envelope(name), wire.bytes));
    super(of, {
      created: Buffer.concat([head, tag('after')]),
      changed: Buffer.concat([head, tag('before')]),
      toAfter: tag('after'),
      deleted: Buffer.alloc(0),
    });
    this.#numbers = numbers;
    this.#sourceTag = tagOf(numbers.envelope('source'), wire.bytes);
    this.#rowTag = tagOf(numbers.source('row'), wire.varint);
    this.#opTag = tagOf(numbers.envelope('op'), wire.bytes);
    this.#transactionTags = {
      message: tagOf(numbers.envelope('transaction'), wire.bytes),
      id: tagOf(numbers.transaction('id'), wire.bytes),
      total: tagOf(numbers.transaction('total_order'), wire.varint),
      inTable: tagOf(numbers.transaction('data_collection_order'), wire.varint),
    };
  }

  /** Nothing yet: the message's length is known with its row. */
  protected sourceOf(origin: ChangeOrigin): Buffer {
    const { version, connector, server, database, table } = this.of;
    const { timeUs: us, snapshot, serverId, gtid, file, position } = origin;
    this.#text('version', version);
    this.#text('connector', connector);
    this.#text('name', server);
    this.#number('ts_ms', Math.floor(us / 1000));
    this.#present('snapshot', snapshot);
    this.#text('db', database);
    this.#presentNumber('ts_us', us);
    this.#presentNumber('ts_ns', BigInt(us) * 1000n);
    this.#present('table', table);
    this.#number('server_id', serverId);
    this.#present('gtid', gtid);
    this.#text('file', file);
    this.#number('pos', position);
    this.#before = this.#scratch.takeFrom(0);
    return Buffer.alloc(0);
  }

  protected restOf({ thread, query }: ChangeOrigin): Buffer {
    this.#presentNumber('thread', thread);
    this.#present('query', query);
    this.#behind = this.#scratch.takeFrom(0);
    return Buffer.alloc(0);
  }

  protected row(out: ByteWriter, at: number): void {
    const before = this.#before;
    const behind = this.#behind;
    writeVarint(out, this.#sourceTag);
    const own = at === 0 ? 0 : varintLength(this.#rowTag) + varintLength(at);
    writeVarint(out, before.length + own + behind.length);
    out.copy(before, 0, before.length);
    if (at !== 0) {
      writeVarint(out, this.#rowTag);
      writeVarint(out, at);
    }
    out.copy(behind, 0, behind.length);
  }

  protected transaction(out: ByteWriter, id: string, total: number, inTable: number): void {
    const tags = this.#transactionTags;
    const scratch = this.#scratch;
    if (id !== '') {
      writeVarint(scratch, tags.id);
      scratch.string(id);
    }
    writeVarint(scratch, tags.total);
    writeVarint(scratch, total);
    writeVarint(scratch, tags.inTable);
    writeVarint(scratch, inTable);
    writeVarint(out, tags.message);
    writeVarint(out, scratch.length);
    out.copy(scratch.buffer, 0, scratch.length);
    scratch.length = 0;
  }

  protected noTransaction(): void {
    // A message that is not there has no bytes.
  }

  protected operation(out: ByteWriter, op: Op): void {
    writeVarint(out, this.#opTag);
    out.string(op);
  }

  protected timesOf(ms: number): Buffer {
    const out = this.#scratch;
    const units = { ts_ms: 1n, ts_us: 1000n, ts_ns: 1_000_000n };
    for (const [name, factor] of Object.entries(units)) {
      writeVarint(out, tagOf(this.#numbers.envelope(name), wire.varint));
      writeWide(out, BigInt(ms) * factor);
    }
    return out.takeFrom(0);
  }

  /** A text that is never missing: an empty one has no bytes. */
  #text(name: string, value: string): void {
    if (value !== '') this.#present(name, value);
  }

  #number(name: string, value: number): void {
    if (value !== 0) this.#presentNumber(name, value);
  }

  /** NULL has no bytes. */
  #present(name: string, value: string | null): void {
    if (value === null) return;
    writeVarint(this.#scratch, tagOf(this.#numbers.source(name), wire.bytes));
    this.#scratch.string(value);
  }

  #presentNumber(name: string, value: number | bigint | null): void {
    if (value === null) return;
    writeVarint(this.#scratch, tagOf(this.#numbers.source(name), wire.varint));
    writeWide(this.#scratch, value);
  }
}

function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

function tagBytes(tag: number): Buffer {
  const out = new ByteWriter(8);
  writeVarint(out, tag);
  return out.takeFrom(0);
}
