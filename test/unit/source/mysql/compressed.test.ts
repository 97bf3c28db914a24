// Compressed events as bytes: what they hold comes back whole, in pieces where it is long; what is damaged ends with the reason.
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { eventType, header } from '../../../../src/source/mysql/binlog-event.js';
import { inflateEvent } from '../../../../src/source/mysql/compressed-event.js';
import { PayloadEvents } from '../../../../src/source/mysql/payload-events.js';

function event(type: number, body: Buffer): Buffer {
  const start = Buffer.alloc(19);
  start[4] = type;
  start.writeUInt32LE(19 + body.length, 9);
  return Buffer.concat([start, body]);
}

/** A frame of blocks that are stored (a buffer) or repeat one byte (its value and how often). */
function frame(...blocks: readonly (Buffer | readonly [value: number, times: number])[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])];
  blocks.forEach((block, i) => {
    const isStored = Buffer.isBuffer(block);
    const head = Buffer.alloc(3);
    const length = isStored ? block.length : block[1];
    head.writeUIntLE((length << 3) | (isStored ? 0 : 2) | (i === blocks.length - 1 ? 1 : 0), 0, 3);
    parts.push(head, isStored ? block : Buffer.from([block[0]]));
  });
  return Buffer.concat(parts);
}

const packed = (number: number) => {
  const bytes = Buffer.alloc(9, 0xfe);
  bytes.writeBigUInt64LE(BigInt(number), 1);
  return bytes;
};
const field = (number: number, value: Buffer) => Buffer.concat([Buffer.from([number, value.length]), value]);
const payload = (data: Buffer, size: number, algorithm = Buffer.from([0])) =>
  event(
    eventType.transactionPayload,
    Buffer.concat([field(2, algorithm), field(3, packed(size)), field(1, packed(data.length)), Buffer.from([0]), data]),
  );

const bytesMax = 8 << 20;

function read(source: PayloadEvents): Buffer[] {
  const events: Buffer[] = [];
  for (let next = source.next(); next !== undefined; next = source.next()) events.push(next);
  return events;
}

describe('a compressed transaction', () => {
  const small = event(eventType.query, Buffer.from('BEGIN'));
  const last = event(eventType.xid, Buffer.alloc(8, 7));

  it('gives its events, inflated at once or in pieces', () => {
    const data = Buffer.concat([small, last]);
    expect(read(new PayloadEvents(payload(frame(data), data.length), bytesMax))).toEqual([small, last]);
    const long = event(eventType.writeRows, Buffer.alloc(40 * 131_072, 'x'));
    const blocks = Array.from({ length: 40 }, () => ['x'.charCodeAt(0), 131_072] as const);
    const whole = frame(small, long.subarray(0, 19), ...blocks, last);
    const events = read(new PayloadEvents(payload(whole, small.length + long.length + last.length), bytesMax));
    expect(events.map((each) => header.type(each))).toEqual([eventType.query, eventType.writeRows, eventType.xid]);
    expect(events[1]!.equals(long)).toBe(true);
  });

  it('is refused where an event of it is larger than is taken, before it is inflated', () => {
    const long = event(eventType.writeRows, Buffer.alloc(8, 'x'));
    long.writeUInt32LE(bytesMax + 1, 9);
    const bomb = payload(frame(long, ...Array(80).fill([0, 131_072])), long.length + 80 * 131_072);
    const refusal = { code: 'source-answer-too-large', place: { path: 'database.packet.bytes.max' } };
    expect(() => read(new PayloadEvents(bomb, bytesMax))).toThrow(expect.objectContaining(refusal));
  });

  it('may be stored as it is', () => {
    const none = Buffer.from([0xfc, 255, 0]);
    expect(read(new PayloadEvents(payload(small, small.length, none), bytesMax))).toEqual([small]);
  });

  it.each([
    ['is longer than it says', payload(frame(small, last), small.length)],
    ['is much longer than it says', payload(frame(small, ...Array(20).fill([0, 131_072])), 2 << 20)],
    ['is shorter than it says', payload(frame(small), 3 << 20)],
    ['ends within a block', payload(frame(Buffer.alloc(4000)).subarray(0, 2000), 3 << 20)],
    ['ends within an event', payload(frame(small.subarray(0, 21)), 21)],
    ['is no frame', payload(Buffer.from('nothing of the kind'), 3 << 20)],
    ['is of an unknown kind', payload(small, small.length, Buffer.from([9]))],
  ])('that %s is told', (_, damaged) => {
    expect(() => read(new PayloadEvents(damaged, bytesMax))).toThrow(
      expect.objectContaining({ code: 'corrupt-binlog' }),
    );
  });
});

describe('a compressed event of MariaDB', () => {
  const compressed = (content: Buffer, length = content.length) => {
    const head = Buffer.alloc(5, 0x84);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, deflateSync(content)]);
  };
  const images = Buffer.from('images of rows '.repeat(50));
  const rows = (type: number, bitmaps: number, last: Buffer) =>
    event(
      type,
      Buffer.concat([
        Buffer.alloc(8, 1),
        type >= 169 ? Buffer.from([2, 0]) : Buffer.alloc(0),
        Buffer.from([9]),
        Buffer.alloc(2 * bitmaps, 255),
        last,
      ]),
    );

  it('is the event that it stands for', () => {
    const statement = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]), Buffer.from('db\0')]);
    const sql = Buffer.from('CREATE TABLE t (id INT)');
    const created = event(eventType.mariadbQueryCompressed, Buffer.concat([statement, compressed(sql)]));
    expect(inflateEvent(created, bytesMax)).toEqual(event(eventType.query, Buffer.concat([statement, sql])));
    for (const [from, to, bitmaps] of [
      [eventType.mariadbWriteRowsCompressedV1, eventType.writeRowsV1, 1],
      [eventType.mariadbUpdateRowsCompressedV1, eventType.updateRowsV1, 2],
      [eventType.mariadbDeleteRowsCompressedV1, eventType.deleteRowsV1, 1],
    ] as const)
      expect(inflateEvent(rows(from, bitmaps, compressed(images)), bytesMax)).toEqual(rows(to, bitmaps, images));
    const second = inflateEvent(rows(eventType.mariadbUpdateRowsCompressed, 2, compressed(images)), bytesMax);
    expect(header.type(second)).toBe(eventType.updateRows);
    expect(second.subarray(-images.length)).toEqual(images);
  });

  it('is refused where it is larger than is taken, before it is inflated', () => {
    const bomb = rows(eventType.mariadbWriteRowsCompressedV1, 1, compressed(images, bytesMax + 1));
    expect(() => inflateEvent(bomb, bytesMax)).toThrow(expect.objectContaining({ code: 'source-answer-too-large' }));
  });

  it.each([
    ['of another length', compressed(images, 10)],
    ['of too large a length', compressed(images, 2 ** 31)],
    ['that is damaged', Buffer.concat([compressed(images).subarray(0, 12), Buffer.alloc(20)])],
    ['of an unknown kind', Buffer.from([0xf1, 1, 2, 3])],
  ])('%s is told', (_, last) => {
    expect(() => inflateEvent(rows(eventType.mariadbWriteRowsCompressedV1, 1, last), bytesMax)).toThrow(
      expect.objectContaining({ code: 'corrupt-binlog' }),
    );
  });
});
