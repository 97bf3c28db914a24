// Positions of the stream, which are printed for some of its appends only: wherever chunks end, and wherever the connection breaks, each
// position that is told names exactly what lies before it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { endsPerPosition, endsPerPositionMax, toldPositionLengthMax } from '../../../../src/core/append.js';
import { extent, extentSize, opCode } from '../../../../src/core/record.js';
import { createChunkBuilder } from '../../../../src/schema/formats/chunk-builder.js';
import { eventType, headerSize } from '../../../../src/source/mysql/binlog-event.js';
import type { HalfSent, TransactionReaderOptions } from '../../../../src/source/mysql/open-group.js';
import { copyPosition, parsePosition, type StreamPosition } from '../../../../src/source/mysql/position.js';
import { TransactionReader } from '../../../../src/source/mysql/transaction-reader.js';

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
/** Of other servers, which make every position long. */
const others = Array.from({ length: 8 }, (_, i) => `aaaaaaaa-71ca-11e1-9e33-c80aa942956${i}:1-${i + 2}`).join(',');

function event(type: number, body: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(headerSize), body]);
  bytes[4] = type;
  bytes.writeUInt32LE(bytes.length, 9);
  return bytes;
}

function gtidEvent(number: number): Buffer {
  const body = Buffer.alloc(25);
  Buffer.from(uuid.replaceAll('-', ''), 'hex').copy(body, 1);
  body.writeBigUInt64LE(BigInt(number), 17);
  return event(eventType.gtid, body);
}

const begin = event(eventType.query, Buffer.concat([Buffer.alloc(14), Buffer.from('BEGIN')]));
const xid = event(eventType.xid, Buffer.alloc(8));

type Step = { readonly kind: 'row' | 'end' | 'take' | 'reconnect' } | { readonly kind: 'ends'; readonly count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'row' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'end' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'take' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reconnect' as const }) },
  // Small ones in a row.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ends' as const), count: fc.nat({ max: 400 }) }) },
);

interface Taken {
  /** Of each record, the number of its transaction. */
  readonly records: readonly number[];
  readonly position: string | null;
  readonly transactionId: string | undefined;
}

/** A binlog that is read by one connection after the other. */
class Play {
  readonly chunks = createChunkBuilder({ chunkBytes: 4096 });
  readonly appends: Taken[] = [];
  #reader: TransactionReader;
  #number = 1;
  /** Of the open transaction. */
  #rows = 0;
  #open: number[] = [];

  constructor(from: StreamPosition) {
    this.#reader = this.#connect(from, undefined);
  }

  #connect(from: StreamPosition, halfSent: HalfSent | undefined): TransactionReader {
    const reader = new TransactionReader({
      tables: {},
      cascades: { end: () => {} },
      columns: {},
      chunks: this.chunks,
      from,
      begin: copyPosition(from),
      prepared: [],
      halfSent,
      side: {},
    } as unknown as TransactionReaderOptions);
    reader.read(gtidEvent(this.#number));
    reader.read(begin);
    return reader;
  }

  row(): void {
    const passedOver = this.#reader.rowsToPassOver > 0;
    this.#rows++;
    if (!passedOver) {
      const at = this.chunks.out.length;
      this.chunks.out.string(String(this.#number));
      this.chunks.add(opCode.c, this.chunks.topicIndex('t'), 0, at, 0, at + 1, this.chunks.out.length - at - 1);
    }
    this.#reader.counted(1);
  }

  end(): void {
    this.#reader.read(xid);
    this.#number++;
    this.#rows = 0;
    this.#reader.read(gtidEvent(this.#number));
    this.#reader.read(begin);
  }

  reconnect(): void {
    const { position, halfSent } = this.#reader;
    this.#reader = this.#connect(copyPosition(position), halfSent);
    const rows = this.#rows;
    this.#rows = 0;
    for (let i = 0; i < rows; i++) this.row();
  }

  take(): void {
    this.#reader.beforeTake();
    const chunk = this.chunks.take();
    if (chunk === null) return;
    const { data, extents, recordCount, ends } = chunk;
    const numbers = Array.from({ length: recordCount }, (_, i) => {
      const [start, length] = [extent.valueStart, extent.valueLength].map((field) => extents[i * extentSize + field]!);
      return Number(Buffer.from(data).toString('latin1', start, start! + length!));
    });
    let from = 0;
    for (const [i, { recordEnd, position, transactionId }] of [...ends].entries()) {
      const goesOn = i === 0 && this.#open.length > 0;
      if (goesOn || i === ends.length - 1) expect(position).not.toBeNull();
      const records = [...this.#open.splice(0), ...numbers.slice(from, recordEnd)];
      this.appends.push({ records, position, transactionId });
      from = recordEnd;
    }
    this.#open.push(...numbers.slice(from));
  }

  run(steps: readonly Step[]): void {
    for (const each of steps) {
      if (each.kind !== 'ends') this[each.kind]();
      else
        for (let i = 0; i < each.count; i++) {
          this.row();
          this.end();
        }
    }
    this.end();
    this.take();
  }
}

/** The number up to which everything is in a position. */
function reached(position: string): number {
  const { stream } = parsePosition(position);
  const last = new RegExp(`${uuid}:1(?:-(\\d+))?`).exec(stream.kind === 'mysql-gtid' ? stream.gtids.toString() : '');
  return last === null ? 0 : Number(last[1] ?? 1);
}

it.each([
  ['short', '', endsPerPosition],
  ['long', others, endsPerPositionMax],
])('names what lies before it, and few wait for one: %s positions', (_length, gtids, most) => {
  let joinedMost = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const play = new Play(parsePosition(`{"kind":"mysql-gtid","gtids":"${gtids}"}`).stream);
      play.run(steps);
      let joined = 0;
      let before = 0;
      const since: number[] = [];
      for (const { records, position, transactionId } of play.appends) {
        // Whole transactions, one an append.
        expect(new Set(records).size).toBeLessThanOrEqual(1);
        if (records.length > 0) expect(transactionId).toBe(`${uuid}:${records[0]}`);
        since.push(...records);
        if (position === null) {
          joinedMost = Math.max(joinedMost, ++joined);
          continue;
        }
        expect(position.length > toldPositionLengthMax).toBe(most === endsPerPositionMax);
        const at = reached(position);
        for (const number of since.splice(0)) {
          expect(number).toBeGreaterThan(before);
          expect(number).toBeLessThanOrEqual(at);
        }
        before = at;
        joined = 0;
      }
    }),
    { numRuns: 25 },
  );
  expect(joinedMost).toBe(most - 1);
});

it('gives each row once, in order, in the transaction that it was committed with', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const play = new Play(parsePosition('{"kind":"mysql-gtid","gtids":""}').stream);
      play.run(steps);
      let [number, rows] = [1, 0];
      const expected: number[][] = [];
      const end = () => {
        if (rows > 0) expected.push(Array.from({ length: rows }, () => number));
        [number, rows] = [number + 1, 0];
      };
      for (const each of steps) {
        if (each.kind === 'row') rows++;
        else if (each.kind === 'end') end();
        else if (each.kind === 'ends')
          for (let i = 0; i < each.count; i++) {
            rows++;
            end();
          }
      }
      end();
      expect(play.appends.map(({ records }) => records).filter((records) => records.length > 0)).toEqual(expected);
    }),
  );
});
