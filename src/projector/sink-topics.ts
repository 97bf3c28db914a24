// The topics of derived streams and tables: each change of a sink becomes a record, gathered while an engine commit is applied and
// handed to the log with it. What one append derives is a group, or several pieces where it is long; a piece is cut when the append has
// derived so many bytes since the last cut, whatever else is in the engine's commit, so that the numbers of groups (core/derived.ts)
// are a function of the log. Value: the columns that are not the key, as ksqlDB writes them; a delete is a tombstone. A
// key's partition is the one that every Kafka client gives it, so its records keep their order.
import type { SourceEntry } from '../catalog/catalog.js';
import type { Row } from '../core/data-type.js';
import type { DerivedGroup } from '../core/derived.js';
import { assert } from '../core/errors.js';
import { extent, extentSize, opCode, RecordSet } from '../core/record.js';
import type { ApplyContext } from '../runtime/apply-context.js';
import type { ChangeListener } from '../runtime/table-node.js';
import { ByteWriter } from '../core/bytes.js';
import { defaultKeyShape } from '../schema/formats/format.js';
import { partitionOf } from '../schema/formats/partitioner.js';
import { createKeyEncoder, createValueEncoder } from '../schema/formats/value-encoder.js';

/** Of a piece, with what describes its records. Part of the format: another value would give other numbers to the same records. */
const pieceBytes = 1024 * 1024;
/** Of all that is held before it has to be taken: a commit may derive any number of groups. */
const heldBytesMax = 1024 * 1024;
const bytesPerRecord = extentSize * Int32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT;

export class SinkTopics {
  #onFull: () => void = () => {};
  readonly #schemaText: (id: number) => string;
  readonly #out = new ByteWriter(64 * 1024);
  #extents = new Int32Array(256 * extentSize);
  #timestamps = new Float64Array(256);
  #count = 0;
  #topics: string[] = [];
  #groups: DerivedGroup[] = [];
  #heldBytes = 0;
  /** The append whose records are being gathered, -1: none. */
  #seq = -1;
  #commitTimeUs = 0;
  /** The append whose pieces were numbered last, and the number of its next one. */
  #numberedSeq = -1;
  #nextPiece = 0;

  /** `schemaText`: the text behind the id of a registered schema. */
  constructor(schemaText: (id: number) => string) {
    this.#schemaText = schemaText;
  }

  /** Called in the open transaction when so much is held that it has to be taken. */
  onFull(listener: () => void): void {
    this.#onFull = listener;
  }

  /** What writes one sink's changes. */
  listener(entry: SourceEntry, context: ApplyContext): ChangeListener {
    const { schema, properties, schemaIds } = entry;
    const isKey = new Set(schema.keyColumns);
    const valueColumns = schema.columns.map((_, i) => i).filter((i) => !isKey.has(i));
    const registered = (id: number | null | undefined) =>
      typeof id === 'number' ? { schemaId: id, schemaText: this.#schemaText(id) } : {};
    const encodeKey =
      schema.keyColumns.length === 0
        ? undefined
        : createKeyEncoder({
            format: properties.keyFormat,
            schema,
            keyShape: defaultKeyShape(schema, properties.keyFormat),
            ...registered(schemaIds?.key),
          });
    const encodeValue = createValueEncoder({
      format: properties.valueFormat,
      schema,
      valueColumns,
      ...registered(schemaIds?.value),
    });
    const { topic } = properties;
    const partitions = properties.partitions ?? 1;
    return {
      accept: (_source: string, before: Row | null, after: Row | null) => {
        this.#begin(context);
        const out = this.#out;
        const row = (after ?? before)!;
        const keyStart = out.length;
        const hasKey =
          encodeKey !== undefined &&
          encodeKey.encodeInto(
            out,
            schema.keyColumns.map((i) => row[i]!),
          );
        const keyLength = hasKey ? out.length - keyStart : -1;
        const valueStart = out.length;
        if (after !== null) encodeValue.encodeInto(out, after);
        const valueLength = after === null ? -1 : out.length - valueStart;
        const op = after === null ? opCode.d : before === null ? opCode.c : opCode.u;
        // Facts without a key are in no order that a consumer could rely on: those of one append stay together.
        const partition = hasKey ? partitionOf(out.buffer, keyStart, valueStart, partitions) : context.seq % partitions;
        this.#add(op, topic, partition, keyStart, keyLength, valueStart, valueLength, context.rowtimeMs);
        if (this.#openBytes >= pieceBytes) this.#closePiece();
      },
    };
  }

  /** One record as it is, of something that is kept in the store and told in a topic. */
  put(topic: string, key: Buffer, value: Buffer | null, context: ApplyContext): void {
    this.#begin(context);
    const out = this.#out;
    const keyStart = out.length;
    out.copy(key, 0, key.length);
    const valueStart = out.length;
    if (value !== null) out.copy(value, 0, value.length);
    const valueLength = value?.length ?? -1;
    const rowtimeMs = Math.floor(context.commitTimeUs / 1000);
    const op = value === null ? opCode.d : opCode.c;
    this.#add(op, topic, 0, keyStart, key.length, valueStart, valueLength, rowtimeMs);
  }

  /** Everything since the last call, in order. Called behind an append, or by who is told that so much is held. */
  take(): readonly DerivedGroup[] {
    this.#close();
    const groups = this.#groups;
    this.#groups = [];
    this.#heldBytes = 0;
    return groups;
  }

  /** Forgets what was gathered: the commit is rolled back. */
  discard(): void {
    this.#groups = [];
    this.#heldBytes = 0;
    this.#numberedSeq = -1;
    this.#reset(-1, 0);
  }

  get #openBytes(): number {
    return this.#out.length + this.#count * bytesPerRecord;
  }

  #begin(context: ApplyContext): void {
    if (context.seq === this.#seq) return;
    this.#close();
    assert(context.seq >= this.#numberedSeq, 'records are derived in the order of the appends that cause them');
    this.#reset(context.seq, context.commitTimeUs);
  }

  #closePiece(): void {
    this.#close();
    if (this.#heldBytes >= heldBytesMax) this.#onFull();
  }

  #reset(seq: number, commitTimeUs: number): void {
    this.#seq = seq;
    this.#commitTimeUs = commitTimeUs;
    this.#count = 0;
    this.#topics = [];
    this.#out.length = 0;
  }

  #close(): void {
    if (this.#count > 0) {
      this.#heldBytes += this.#openBytes;
      const records = new RecordSet({
        buffers: [this.#out.takeFrom(0)],
        topics: this.#topics,
        extents: this.#extents.slice(0, this.#count * extentSize),
        count: this.#count,
        timestamps: this.#timestamps.slice(0, this.#count),
      });
      if (this.#numberedSeq !== this.#seq) this.#nextPiece = 0;
      this.#numberedSeq = this.#seq;
      this.#groups.push({ seq: this.#seq, piece: this.#nextPiece++, commitTimeUs: this.#commitTimeUs, records });
    }
    this.#reset(-1, 0);
  }

  #add(
    op: number,
    topic: string,
    partition: number,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    rowtimeMs: number,
  ): void {
    if ((this.#count + 1) * extentSize > this.#extents.length) this.#grow();
    let topicIndex = this.#topics.indexOf(topic);
    if (topicIndex < 0) topicIndex = this.#topics.push(topic) - 1;
    const at = this.#count * extentSize;
    const extents = this.#extents;
    extents[at + extent.op] = op;
    extents[at + extent.topic] = topicIndex;
    extents[at + extent.partition] = partition;
    extents[at + extent.buffer] = 0;
    extents[at + extent.keyStart] = keyStart;
    extents[at + extent.keyLength] = keyLength;
    extents[at + extent.valueStart] = valueStart;
    extents[at + extent.valueLength] = valueLength;
    this.#timestamps[this.#count] = rowtimeMs;
    this.#count++;
  }

  #grow(): void {
    const extents = new Int32Array(this.#extents.length * 2);
    extents.set(this.#extents);
    this.#extents = extents;
    const timestamps = new Float64Array(this.#timestamps.length * 2);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
  }
}
