// Builds chunks as a source would hand them over: one buffer, extents, ends.
import type { AppendControl } from '../../src/core/append-control.js';
import { ByteWriter } from '../../src/core/bytes.js';
import { ChunkEnds, type AppendEnd } from '../../src/core/chunk-ends.js';
import { ChangeOrigin } from '../../src/core/change-origin.js';
import { HeadersWriter } from '../../src/schema/formats/headers-writer.js';
import { readHeaders } from '../../src/core/record-headers.js';
import { extent, extentSize, headersStart, opCode, RecordSet, type Op, type Records } from '../../src/core/record.js';
import type { Append, Chunk } from '../../src/core/append.js';

export interface TestRecord {
  readonly topic: string;
  readonly partition?: number;
  readonly op?: Op;
  readonly key: string | null;
  /** Null: a tombstone. */
  readonly value: string | null;
  /** Of its own, beside those of the log. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the log gives back of it to those who apply it. */
export type FilledRecord = Required<Omit<TestRecord, 'headers'>>;

export interface TestEnd {
  readonly position: string | null;
  readonly commitTimeUs?: number;
  readonly transactionId?: string;
  readonly control?: AppendControl;
}

/** A record, or the end of the append that the records before it belong to. */
export type ChunkPart = TestRecord | { readonly end: TestEnd };

export const testCommitTimeUs = 1_767_000_000_123_456;

export function buildChunk(parts: readonly ChunkPart[]): Chunk {
  const records = parts.filter((part): part is TestRecord => !('end' in part));
  const topics = [...new Set(records.map((record) => record.topic))];
  const extents = new Int32Array(records.length * extentSize);
  const pieces: Buffer[] = [];
  const ends: AppendEnd[] = [];
  let at = 0;
  let index = 0;
  const add = (text: string | null): [number, number] => {
    if (text === null) return [at, -1];
    const bytes = Buffer.from(text, 'utf8');
    pieces.push(bytes);
    at += bytes.length;
    return [at - bytes.length, bytes.length];
  };
  for (const part of parts) {
    if ('end' in part) {
      ends.push({ commitTimeUs: testCommitTimeUs, ...part.end, recordEnd: index });
      continue;
    }
    const row = index++ * extentSize;
    extents[row + extent.op] = opCode[part.op ?? (part.value === null ? 'd' : 'c')];
    extents[row + extent.topic] = topics.indexOf(part.topic);
    extents[row + extent.partition] = part.partition ?? 0;
    [extents[row + extent.keyStart], extents[row + extent.keyLength]] = add(part.key);
    [extents[row + extent.valueStart], extents[row + extent.valueLength]] = add(part.value);
    if (part.headers !== undefined) {
      const bytes = headerBytes(part.headers);
      pieces.push(bytes);
      at += bytes.length;
      extents[row + extent.op]! |= bytes.length << 2;
    }
  }
  const data = new Uint8Array(at);
  Buffer.concat(pieces).copy(data);
  return { data, topics, extents, recordCount: records.length, ends: ChunkEnds.of(ends) };
}

function headerBytes(headers: Readonly<Record<string, string>>): Buffer {
  const out = new ByteWriter();
  const added = Object.entries(headers).map(([name, value]) => ({
    name,
    value: { kind: 'constant', type: { kind: 'STRING' }, value } as const,
  }));
  new HeadersWriter(added, new ChangeOrigin()).write(out, opCode.c);
  return Buffer.from(out.written());
}

/** A chunk that is one append. */
export function appendChunk(
  position: string,
  records: readonly TestRecord[] = [],
  end: Omit<TestEnd, 'position'> = {},
): Chunk {
  return buildChunk([...records, { end: { position, ...end } }]);
}

/** The records as they were built; partition and op always filled in. */
export function recordsOf(set: Records): FilledRecord[] {
  return Array.from({ length: set.count }, (_, i) => ({
    topic: set.topic(i),
    partition: set.partition(i),
    op: set.op(i),
    key: set.key(i)?.toString('utf8') ?? null,
    value: set.value(i)?.toString('utf8') ?? null,
  }));
}

/** The headers that each record of a chunk has of its own, null where it has none. */
export function headersOf(set: RecordSet): (Record<string, string> | null)[] {
  const [source] = set.buffers;
  return Array.from({ length: set.count }, (_, i) => {
    const at = i * extentSize;
    if (set.extents[at + extent.op]! >>> 2 === 0) return null;
    const start = headersStart(set.extents, at);
    return readHeaders(source!, start + 1, source![start]!);
  });
}

/** The same with what the log fills in by default, for comparing. */
export function filled(record: TestRecord): FilledRecord {
  const { topic, partition = 0, key, value, op = value === null ? 'd' : 'c' } = record;
  return { topic, partition, op, key, value };
}

/** The append with its records in memory, for those who keep it longer than the log does. */
export function kept(append: Append): Append {
  const { records } = append;
  if (records instanceof RecordSet) return append;
  const { count, topics, timestamps } = records;
  const buffers: Buffer[] = [];
  const extents = new Int32Array(count * extentSize);
  const offsets = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++, at += extentSize) {
    const [key, value] = [records.key(i), records.value(i)];
    buffers.push(Buffer.concat([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]));
    extents.set([opCode[records.op(i)], records.topicIndex(i), records.partition(i), i], at);
    extents.set([0, key?.length ?? -1, key?.length ?? 0, value?.length ?? -1], at + extent.keyStart);
    offsets[i] = records.offset(i)!;
  }
  return { ...append, records: new RecordSet({ buffers, topics, extents, count, timestamps, offsets }) };
}

/** The records of a chunk as the log takes them. */
export function recordSet({ data, topics, extents, recordCount: count }: Chunk): RecordSet {
  return new RecordSet({ buffers: [Buffer.from(data.buffer, data.byteOffset, data.length)], topics, extents, count });
}
