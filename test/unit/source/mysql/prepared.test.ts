// Prepared XA transactions as a part of the position: where the stream begins for them to come again, and what of it is known then.
import { describe, expect, it } from 'vitest';
import type { MariadbGtid } from '../../../../src/source/mysql/mariadb-gtid.js';
import { parsePosition, printPosition, type StreamPosition } from '../../../../src/source/mysql/position.js';
import { withoutReturn, type Prepared } from '../../../../src/source/mysql/prepared.js';
import { ReturningGroups } from '../../../../src/source/mysql/returning-groups.js';
import { beginOf } from '../../../../src/source/mysql/stream-begin.js';

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const streamOf = (text: string) => parsePosition(text).stream;
const mysql = streamOf(`{"kind":"mysql-gtid","gtids":"${uuid}:1-10:blue:1-2"}`);
const mariadb = streamOf('{"kind":"mariadb-gtid","gtids":"0-1-10,7-1-4"}');
const file = streamOf('{"kind":"file","file":"binlog.000003","pos":900}');
const prepared = (id: string, from: string | null, tables = ['d.t']): Prepared => ({
  xid: `X'${id}'`,
  id,
  tables,
  from,
});
const text = (stream: StreamPosition) => printPosition({ stream, snapshot: undefined });
const place = { file: '', offset: 0 };

describe('prepared transactions', () => {
  it('are read back from the position that they are printed into', () => {
    for (const stream of [mysql, mariadb, file]) {
      const whole = printPosition({ stream, snapshot: undefined, prepared: [prepared('a', 'a'), prepared('b', null)] });
      expect(printPosition(parsePosition(whole))).toBe(whole);
      expect(text(parsePosition(whole).stream)).toBe(text(stream));
    }
    expect(() => parsePosition('{"kind":"file","file":"b.1","pos":4,"prepared":[{"xid":1}]}')).toThrow(
      'not a position',
    );
  });

  it('that have to come again move the begin of the stream before them, and others do not', () => {
    const begin = (stream: StreamPosition, ...all: readonly Prepared[]) => text(beginOf(stream, all));
    expect(begin(mysql, prepared(`${uuid}:5`, `${uuid}:5`), prepared(`${uuid}:blue:1`, `${uuid}:blue:1`))).toBe(
      `{"kind":"mysql-gtid","gtids":"${uuid}:1-4:6-10:blue:2"}`,
    );
    expect(begin(mysql, prepared(`${uuid}:5`, null))).toBe(text(mysql));
    expect(begin(mariadb, prepared('0-1-6', '0-1-5'), prepared('0-1-9', '0-1-8'))).toBe(
      '{"kind":"mariadb-gtid","gtids":"0-1-5,7-1-4"}',
    );
    expect(begin(mariadb, prepared('7-1-1', ''))).toBe('{"kind":"mariadb-gtid","gtids":"0-1-10"}');
    expect(begin(file, prepared('binlog.000001:77', 'binlog.000001:77'))).toBe(
      '{"kind":"file","file":"binlog.000001","pos":77}',
    );
    expect(begin(file, ...withoutReturn([prepared('binlog.000001:77', 'binlog.000001:77')]))).toBe(text(file));
  });

  it('a place behind 4 GiB, which no dump can begin at, begins with its file', () => {
    const far: StreamPosition = { kind: 'file', at: { file: 'binlog.000003', offset: 2 ** 32 + 5 } };
    const begin = beginOf(far, []);
    expect(text(begin)).toBe('{"kind":"file","file":"binlog.000003","pos":4}');
    const groups = new ReturningGroups(begin, far, []);
    const kind = (offset: number) =>
      groups.kindOf(undefined, `binlog.000003:${offset}`, { file: 'binlog.000003', offset });
    expect([kind(157), kind(2 ** 32 - 9), groups.expected, kind(2 ** 32 + 5), groups.expected]).toEqual([
      'known',
      'known',
      true,
      'new',
      false,
    ]);
  });

  it('what comes again is told from what is new', () => {
    const one = [prepared(`${uuid}:5`, `${uuid}:5`)];
    const groups = new ReturningGroups(beginOf(mysql, one), mysql, one);
    const kind = (number: number) => groups.kindOf({ uuid, tag: '', number }, `${uuid}:${number}`, place);
    expect([kind(11), kind(5), groups.expected]).toEqual(['new', 'wanted', false]);

    const two = [prepared('0-1-6', '0-1-5'), prepared('0-2-3', '0-1-9')];
    const domains = new ReturningGroups(beginOf(mariadb, two), mariadb, two);
    const gtid = (domain: number, server: number, sequence: number): MariadbGtid => ({
      domain,
      server,
      sequence: BigInt(sequence),
    });
    const of = (domain: number, server: number, sequence: number) =>
      domains.kindOf(gtid(domain, server, sequence), `${domain}-${server}-${sequence}`, place);
    // The other server's number is lower: only the last one known ends what comes again.
    expect([of(0, 1, 6), of(7, 1, 5), of(0, 1, 9), of(0, 2, 3), of(0, 1, 10), of(0, 1, 11)]).toEqual([
      'wanted',
      'new',
      'known',
      'wanted',
      'known',
      'new',
    ]);
    expect(domains.expected).toBe(false);
  });

  it('do not hide that the last transaction is lost, which shows where a later one of its server comes (MariaDB)', () => {
    const one = [prepared('0-1-5', '0-1-4')];
    const groups = new ReturningGroups(beginOf(mariadb, one), mariadb, one);
    const kindOf = (server: number, sequence: bigint) =>
      groups.kindOf({ domain: 0, server, sequence }, `0-${server}-${sequence}`, place);
    expect([kindOf(1, 5n), kindOf(1, 9n), kindOf(2, 12n)]).toEqual(['wanted', 'known', 'known']);
    expect(() => kindOf(1, 13n)).toThrow(expect.objectContaining({ code: 'source-rewound' }) as Error);
  });
});
