// The place in the binlog is counted in 64 bits from ends of 32: a file that one transaction has made longer than 4 GiB.
import { describe, expect, it } from 'vitest';
import { eventType } from '../../../../src/source/mysql/binlog-event.js';
import { BinlogPlace } from '../../../../src/source/mysql/binlog-place.js';

const gib = 2 ** 30;

function event(type: number, end: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(19);
  header[4] = type;
  header.writeUInt32LE(19 + body.length, 9);
  header.writeUInt32LE(end % 2 ** 32, 13);
  return Buffer.concat([header, body]);
}

function rotate(file: string, offset: number): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64LE(BigInt(offset));
  return event(eventType.rotate, 0, Buffer.concat([place, Buffer.from(file)]));
}

describe('the place in the binlog', () => {
  it('goes on behind 4 GiB, and begins anew with the next file', () => {
    const place = new BinlogPlace(undefined);
    place.rotate(rotate('binlog.000007', 4));
    for (let end = gib; end <= 9 * gib; end += gib) {
      place.advance(event(eventType.writeRows, end + 100));
      expect(place.at).toEqual({ file: 'binlog.000007', offset: end + 100 });
    }
    expect(place.reached({ file: 'binlog.000007', offset: 9 * gib })).toBe(true);
    expect(place.reached({ file: 'binlog.000007', offset: 9 * gib + 101 })).toBe(false);
    place.rotate(rotate('binlog.000008', 4));
    place.advance(event(eventType.query, 500));
    expect(place.at).toEqual({ file: 'binlog.000008', offset: 500 });
  });

  it('does not move with events that tell no end', () => {
    const place = new BinlogPlace({ file: 'binlog.000001', offset: 5 * gib });
    place.advance(event(eventType.tableMap, 0));
    expect(place.at.offset).toBe(5 * gib);
  });

  it('a heartbeat tells it, on MariaDB with 64 bits where it needs them', () => {
    const place = new BinlogPlace({ file: 'binlog.000001', offset: 5 * gib });
    place.heartbeat(event(eventType.heartbeat, 5 * gib + 7, Buffer.from('binlog.000001')));
    expect(place.at).toEqual({ file: 'binlog.000001', offset: 5 * gib + 7 });
    const long = Buffer.alloc(8);
    long.writeBigUInt64LE(BigInt(6 * gib));
    place.heartbeat(event(eventType.heartbeat, 0, Buffer.concat([long, Buffer.from('binlog.000002')])));
    expect(place.at).toEqual({ file: 'binlog.000002', offset: 6 * gib });
  });
});
