import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GtidSet, printGtid } from '../../../../src/source/mysql/gtid-set.js';
import { MariadbPosition } from '../../../../src/source/mysql/mariadb-gtid.js';
import { compareOffsets, contains, parsePosition, printPosition } from '../../../../src/source/mysql/position.js';

const uuids = ['0a000000-0000-0000-0000-000000000001', 'ff000000-0000-0000-0000-00000000000f'];
const gtid = fc.record({
  uuid: fc.constantFrom(...uuids),
  tag: fc.constantFrom('', 'alpha', 'beta'),
  number: fc.integer({ min: 1, max: 40 }),
});
const gtids = fc.array(gtid, { maxLength: 60 });

function setOf(list: readonly { uuid: string; tag: string; number: number }[]): GtidSet {
  const set = new GtidSet();
  for (const one of list) set.add(one);
  return set;
}

describe('a set of GTIDs', () => {
  it('holds exactly what was added, in whatever order', () => {
    fc.assert(
      fc.property(gtids, gtid, (list, probe) => {
        const set = setOf(list);
        expect(set.has(probe)).toBe(list.some((one) => printGtid(one) === printGtid(probe)));
        expect(setOf(list.toReversed()).toString()).toBe(set.toString());
      }),
      { seed: 1 },
    );
  });

  it('is printed alike behind each change as a set that was never printed before', () => {
    fc.assert(
      fc.property(gtids, gtids, fc.nat(), (list, taken, at) => {
        const set = new GtidSet();
        const changes: ((of: GtidSet) => void)[] = [];
        const change = (one: (of: GtidSet) => void) => {
          one(set);
          changes.push(one);
          const other = new GtidSet();
          for (const each of changes) each(other);
          expect(set.toString()).toBe(other.toString());
        };
        list.forEach((one, i) => {
          change((of) => of.add(one));
          // Most numbers follow the one before.
          change((of) => of.add({ ...one, number: one.number + 1 }));
          if (i === at % list.length) change((of) => of.subtract(setOf(taken)));
        });
      }),
      { seed: 4 },
    );
  });

  it('reads back from its text', () => {
    fc.assert(
      fc.property(gtids, (list) => {
        const text = setOf(list).toString();
        expect(GtidSet.parse(text).toString()).toBe(text);
      }),
      { seed: 2 },
    );
  });

  it('contains another set exactly when it has all of its members', () => {
    fc.assert(
      fc.property(gtids, gtids, (a, b) => {
        const [x, y] = [setOf(a), setOf(b)];
        expect(x.contains(y)).toBe(b.every((one) => x.has(one)));
        expect(setOf([...a, ...b]).contains(y)).toBe(true);
      }),
      { seed: 3 },
    );
  });

  it('prints as the server does: tags behind their uuid, intervals joined', () => {
    const text = `${uuids[0]}:1-5:7:alpha:1:beta:2-3,${uuids[1]}:alpha:9`;
    expect(GtidSet.parse(text.replace(',', ',\n').toUpperCase()).toString()).toBe(text);
    expect(GtidSet.parse('').toString()).toBe('');
    expect(() => GtidSet.parse('nonsense')).toThrow(/not a set of GTIDs/);
  });
});

describe('a position of MariaDB', () => {
  it('covers everything of a domain up to its last transaction', () => {
    const position = MariadbPosition.parse('1-2-7,0-1-100');
    expect(position.toString()).toBe('0-1-100,1-2-7');
    expect(position.has({ domain: 0, server: 9, sequence: 100n })).toBe(true);
    expect(position.has({ domain: 0, server: 1, sequence: 101n })).toBe(false);
    expect(position.has({ domain: 2, server: 1, sequence: 1n })).toBe(false);
    position.add({ domain: 0, server: 1, sequence: 18446744073709551615n });
    expect(position.toString()).toBe('0-1-18446744073709551615,1-2-7');
    expect(() => MariadbPosition.parse('0-1')).toThrow(/not a GTID position/);
  });
});

describe('a position', () => {
  it.each([
    '{"kind":"mysql-gtid","gtids":"0a000000-0000-0000-0000-000000000001:1-5"}',
    '{"kind":"mariadb-gtid","gtids":"0-1-9","snapshot":{"table":null,"key":null}}',
    '{"kind":"mariadb-gtid","gtids":"0-1-9","snapshot":{"table":"a.c","key":["1"],"beside":{"a.a":null,"a.b":["2"]}}}',
    '{"kind":"mariadb-gtid","gtids":"0-1-9","snapshot":{"table":"a.b","key":null,"again":["a.b"],"where":{"a.b":"id > 3"},"only":true},"stopped":[{"table":"a.c","error":{"code":"unconvertible-value","message":"m","hint":"h"},"config":"12"}]}',
    `{"kind":"file","file":"binlog.000009","pos":1234,"snapshot":{"table":"a.b","key":["-5","X'00FF'","_utf8mb4 X'61'","'2024-01-01 00:00:00.5'","1.5e-7"]}}`,
  ])('reads back: %s', (text) => {
    expect(printPosition(parsePosition(text))).toBe(text);
  });

  it.each([
    '',
    '[]',
    '{"kind":"file","file":"x","pos":1}',
    '{"kind":"file","file":"x","pos":4,"server":"\\",\\""}',
    '{"kind":"mysql-gtid"}',
    '{"kind":"mysql-gtid","gtids":"","stopped":[{"table":"a.c"}]}',
  ])('refuses %s', (text) => {
    expect(() => parsePosition(text)).toThrow(/not a position/);
  });

  it('lets no SQL but our own literals into a cursor', () => {
    for (const key of ['1 OR 1=1', "'x'", "X'0G'", '(SELECT 1)']) {
      for (const place of [{ key: [key] }, { key: null, beside: { 'a.a': [key] } }]) {
        const text = JSON.stringify({ kind: 'mariadb-gtid', gtids: '', snapshot: { table: 'a.b', ...place } });
        expect(() => parsePosition(text)).toThrow(/not a position/);
      }
    }
  });

  it('compares files by number and offsets inside of one', () => {
    expect(compareOffsets({ file: 'b.999999', offset: 9 }, { file: 'b.1000000', offset: 4 })).toBe(-1);
    expect(compareOffsets({ file: 'b.000002', offset: 9 }, { file: 'b.000002', offset: 4 })).toBe(1);
    expect(compareOffsets({ file: 'a.000002', offset: 9 }, { file: 'b.000002', offset: 9 })).toBeUndefined();
    expect(
      contains(
        { kind: 'file', at: { file: 'b.1', offset: 9 } },
        { kind: 'mariadb-gtid', gtids: new MariadbPosition() },
      ),
    ).toBe(false);
  });
});
