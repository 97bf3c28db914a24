// What an XA COMMIT costs whose transaction was prepared before the stream began: the tables that were locked at a moment, if its commit is
// written behind that moment; else all.
import { expect, it } from 'vitest';
import type { CapturedTables } from '../../../../src/source/mysql/captured-tables.js';
import { EventsWithin } from '../../../../src/source/mysql/events-within.js';
import { parsePosition, printStream } from '../../../../src/source/mysql/position.js';
import { withNames } from '../../../../src/source/mysql/prepared.js';
import { XaTransactions } from '../../../../src/source/mysql/xa-transactions.js';

const end = { file: 'b.1', offset: 100 };
const tables = {
  known: { fold: (name: string) => name.toLowerCase(), matches: (name: string) => name.startsWith('shop.') },
} as unknown as CapturedTables;

function transactions(...locked: readonly string[]) {
  let isReached = false;
  const xa = new XaTransactions(tables, [], new EventsWithin());
  xa.foresee({ tables: locked, end }, () => isReached);
  const commit = (xid: string | undefined) => {
    const lost: (readonly string[] | undefined)[] = [];
    xa.committed(Buffer.alloc(0), xid, undefined, (names) => lost.push(names));
    return lost;
  };
  return { xa, commit, reach: () => void (isReached = true) };
}

it('costs all tables up to that moment, and behind it those that are captured of the locked ones', () => {
  const { xa, commit, reach } = transactions('Shop.A', 'other.b', 'shop.c');
  expect([commit('x'), xa.text]).toEqual([[undefined], '']);
  reach();
  // Only between two groups is it looked at: a commit may be the very last thing in front of that moment.
  expect(commit('x')).toEqual([undefined]);
  expect(xa.text).toContain('"tables":["shop.a","other.b","shop.c"]');
  expect(commit('x')).toEqual([['shop.a', 'shop.c']]);
  xa.end('x');
  // There may be others.
  expect(commit('y')).toEqual([['shop.a', 'shop.c']]);
  expect(commit(undefined)).toEqual([undefined]);
});

it('costs nothing where none of the locked tables is captured, and all where none was locked', () => {
  const other = transactions('other.b');
  other.reach();
  expect(other.xa.text).not.toBe('');
  expect(other.commit('x')).toEqual([]);
  const none = transactions();
  none.reach();
  expect(none.xa.text).toBe('');
  expect(none.commit('x')).toEqual([undefined]);
});

it('is known behind a restart, and not at another place', () => {
  const { xa, reach } = transactions('shop.a');
  reach();
  const text = printStream({ kind: 'file', at: end, server: undefined }, xa.text);
  const { prepared } = parsePosition(text);
  const again = new XaTransactions(tables, prepared!, new EventsWithin());
  const lost: unknown[] = [];
  again.committed(Buffer.alloc(0), 'x', undefined, (names) => lost.push(names));
  expect(lost).toEqual([['shop.a']]);
  expect(withNames(prepared!)).toEqual([]);
});
