// The encoder of tables whose values are Debezium's envelope. An update has both images; one that changes the key is the delete of the old
// row with its tombstone, and the new row as one that was created. A delete is its last row, and then, unless they are not wanted, the
// tombstone. Each image is written once: where a changed key shows only behind the second, its bytes are copied.
import type { ByteWriter } from '../../core/bytes.js';
import type { ChangeOrigin } from '../../core/change-origin.js';
import { opCode, type Op } from '../../core/record.js';
import type { RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';
import { frame, messageFrame } from '../wire-format.js';
import { AvroValueWriter } from './avro-value-writer.js';
import type { RecordChunkBuilder } from './chunk-builder.js';
import type { ColumnValueWriter } from './column-value-writer.js';
import { connectEnvelopeSchema } from './envelope.js';
import {
  AvroEnvelopeFrame,
  JsonEnvelopeFrame,
  surroundingOf,
  type EnvelopeFrame,
  type EnvelopeTable,
} from './envelope-frame.js';
import { headersWriter, tombstoneHeadersWriter, type HeadersWriter } from './headers-writer.js';
import type { WireField } from './format.js';
import { JsonValueWriter, objectFrame } from './json-value-writer.js';
import {
  beginImage,
  finishImage,
  keyWriter,
  needed,
  rowImage,
  sameKey,
  writeKey,
  type RowImage,
} from './key-writer.js';
import { partitionOf } from './partitioner.js';
import { envelopeShape, ProtobufEnvelopeFrame } from './protobuf-envelope.js';
import { ProtobufValueWriter } from './protobuf-value-writer.js';
import type { RowEncoderOptions } from './row-encoder-options.js';

/** A range of the chunk's bytes. */
interface Range {
  start: number;
  length: number;
}

export class EnvelopeRowEncoder implements RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  readonly oldRow = 'whole';
  readonly held = this;
  readonly #chunks: RecordChunkBuilder;
  readonly #out: ByteWriter;
  readonly #origin: ChangeOrigin;
  readonly #partitions: number;
  readonly #tombstones: boolean;
  readonly #skipsUnchanged: boolean;
  readonly #frame: EnvelopeFrame;
  readonly #before: RowImage;
  readonly #after: RowImage;
  readonly #key: ColumnValueWriter;
  #generation = -1;
  #topicIndex = 0;
  readonly #headers: HeadersWriter | undefined;
  readonly #tombstoneHeaders: HeadersWriter | undefined;
  #op: Op = 'c';
  /** Of the headers of the newest value. */
  #headersSize = 0;
  #hasOld = false;
  readonly #value: Range = { start: 0, length: 0 };
  readonly #keyAt: Range = { start: 0, length: 0 };
  readonly #oldAt: Range = { start: 0, length: 0 };
  readonly #newAt: Range = { start: 0, length: 0 };

  constructor(
    options: RowEncoderOptions,
    envelope: EnvelopeTable,
    fields: { readonly value: readonly WireField[]; readonly key: readonly WireField[] },
  ) {
    const { table, chunks, keyFormat, valueFormat } = options;
    this.table = table;
    this.topic = options.topic;
    this.#chunks = chunks;
    this.#out = chunks.out;
    this.#origin = chunks.origin;
    this.#partitions = options.partitions;
    this.#tombstones = options.tombstones !== false;
    this.#skipsUnchanged = envelope.skipsUnchanged === true;
    const formats = { key: keyFormat, value: valueFormat };
    this.#before = rowImage(imageWriter(options, fields.value), table, fields.value, formats);
    this.#after = rowImage(imageWriter(options, fields.value), table, fields.value, formats);
    this.#key = keyWriter(chunks.out, options, fields.key);
    this.#frame = frameOf(options, envelope, fields.value);
    this.#headers = headersWriter(options.headers, chunks.origin);
    this.#tombstoneHeaders = tombstoneHeadersWriter(options.headers, chunks.origin);
  }

  beginOld(): ValueWriter {
    this.#begin(this.#frame.changed, this.#oldAt);
    return beginImage(this.#before);
  }

  endOld(): void {
    this.#end(this.#before, this.#oldAt);
    this.#hasOld = true;
  }

  beginRow(op: Op): ValueWriter {
    this.#op = op;
    // An old image is that of an update; one whose new row could not be written is forgotten.
    if (op !== 'u') this.#hasOld = false;
    if (this.#hasOld) {
      this.#copy(this.#frame.toAfter);
      this.#newAt.start = this.#out.length;
    } else this.#begin(this.#frame.created, this.#newAt);
    return beginImage(this.#after);
  }

  endRow(): void {
    this.#end(this.#after, this.#newAt);
    if (this.#hasOld && this.#skipsUnchanged && this.#sameImages()) this.#out.length = this.#value.start;
    else if (!this.#hasOld || sameKey(this.#before, this.#after)) {
      this.#finish(this.#op);
      this.#putKey(this.#after);
      this.#add(opCode[this.#op], this.#value.start, this.#value.length, this.#headersSize);
    } else this.#moved();
    this.#hasOld = false;
    // Rows that are read are no rows of an event.
    if (this.#op !== 'r') this.#origin.row++;
  }

  beginDelete(): ValueWriter {
    return this.beginOld();
  }

  endDelete(): void {
    this.#end(this.#before, this.#oldAt);
    this.#copy(this.#frame.deleted);
    this.#finish('d');
    this.#deleted();
    this.#origin.row++;
  }

  /** The key has changed: what was written of the two images becomes two values. */
  #moved(): void {
    this.#value.start = this.#out.length;
    this.#copy(this.#frame.changed);
    this.#copyRange(this.#oldAt);
    this.#copy(this.#frame.deleted);
    this.#finish('d');
    this.#deleted();
    this.#value.start = this.#out.length;
    this.#copy(this.#frame.created);
    this.#copyRange(this.#newAt);
    this.#finish('c');
    this.#putKey(this.#after);
    this.#add(opCode.c, this.#value.start, this.#value.length, this.#headersSize);
  }

  #deleted(): void {
    this.#putKey(this.#before);
    this.#add(opCode.d, this.#value.start, this.#value.length, this.#headersSize);
    if (!this.#tombstones) return;
    const start = this.#out.length;
    this.#add(opCode.d, start, -1, this.#tombstoneHeaders?.write(this.#out, opCode.d) ?? 0);
  }

  #sameImages(): boolean {
    const bytes = this.#out.buffer;
    const [old, now] = [this.#oldAt, this.#newAt];
    return (
      old.length === now.length &&
      bytes.compare(bytes, now.start, now.start + now.length, old.start, old.start + old.length) === 0
    );
  }

  /** A value begins with its first image. */
  #begin(head: Buffer, image: Range): void {
    this.#value.start = this.#out.length;
    this.#copy(head);
    image.start = this.#out.length;
  }

  #end(image: RowImage, at: Range): void {
    finishImage(image);
    at.length = this.#out.length - at.start;
  }

  #finish(op: Op): void {
    this.#frame.tail(this.#out, op, this.#origin);
    this.#value.length = this.#out.length - this.#value.start;
    if (this.#headers !== undefined) this.#headersSize = this.#headers.write(this.#out, opCode[op]);
  }

  #putKey(of: RowImage): void {
    this.#keyAt.start = this.#out.length;
    writeKey(this.#key, of);
    this.#keyAt.length = this.#out.length - this.#keyAt.start;
  }

  #copy(bytes: Buffer): void {
    this.#out.copy(bytes, 0, bytes.length);
  }

  #copyRange({ start, length }: Range): void {
    this.#out.reserve(length);
    this.#out.copy(this.#out.buffer, start, start + length);
  }

  /** A length of -1: a tombstone. */
  #add(op: number, valueStart: number, valueLength: number, headersSize: number): void {
    const chunks = this.#chunks;
    if (this.#generation !== chunks.generation) {
      this.#generation = chunks.generation;
      this.#topicIndex = chunks.topicIndex(this.topic);
    }
    const { start, length } = this.#keyAt;
    const partition =
      this.#partitions === 1 ? 0 : partitionOf(this.#out.buffer, start, start + length, this.#partitions);
    chunks.add(op, this.#topicIndex, partition, start, length, valueStart, valueLength, headersSize);
  }
}

/** Of one image: a row without anything around it. */
function imageWriter(
  { valueFormat, valueSchema, chunks }: RowEncoderOptions,
  fields: readonly WireField[],
): ColumnValueWriter {
  if (valueFormat === 'PROTOBUF') {
    const { value } = envelopeShape(needed(valueSchema, 'value'), fields);
    return new ProtobufValueWriter(chunks.out, fields, value, 'length');
  }
  if (valueFormat === 'AVRO') return new AvroValueWriter(chunks.out, fields, Buffer.alloc(0));
  return new JsonValueWriter(chunks.out, fields, objectFrame(fields.map((f) => f.name)));
}

function frameOf(
  { topic, valueFormat, valueSchema, valueSchemaId, schemas }: RowEncoderOptions,
  envelope: EnvelopeTable,
  fields: readonly WireField[],
): EnvelopeFrame {
  if (valueFormat === 'AVRO') return new AvroEnvelopeFrame(envelope, frame(needed(valueSchemaId, 'value')));
  if (valueFormat === 'PROTOBUF') {
    const numbers = envelopeShape(needed(valueSchema, 'value'), fields);
    return new ProtobufEnvelopeFrame(envelope, messageFrame(needed(valueSchemaId, 'value')), numbers);
  }
  if (schemas?.value === 'registered') {
    const front = frame(needed(valueSchemaId, 'value'));
    return new JsonEnvelopeFrame(envelope, { front, end: '}' });
  }
  const schema = schemas?.value === true ? connectEnvelopeSchema(topic, fields, schemas.times, envelope) : undefined;
  return new JsonEnvelopeFrame(envelope, surroundingOf(schema));
}
