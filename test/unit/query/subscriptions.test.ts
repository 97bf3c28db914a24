// A subscriber that goes on from an old place while commits go on: it reads the feed itself, may so be ahead of the channel that it
// shares, and must get every change once and in order all the same.
import { describe, expect, it } from 'vitest';
import { BIGINT, type RowSchema } from '../../../src/core/data-type.js';
import { AppError } from '../../../src/core/errors.js';
import type { Place } from '../../../src/core/version.js';
import { Subscriptions } from '../../../src/query/subscriptions.js';
import type { FeedRead, RowChange, StateReader } from '../../../src/store/state-store.js';
import { alwaysCurrent } from '../../support/ages.js';

const schema = { columns: [{ name: 'id', type: BIGINT }], keyColumns: [0] } as unknown as RowSchema;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** One change per append; the frontier is what the test says, and so is where the retention begins. */
class GrowingFeed {
  seq: number;
  retainedFrom = 0;
  constructor(seq: number) {
    this.seq = seq;
  }

  get reader(): StateReader {
    const session = () => {
      const frontier = { seq: this.seq, logId: 'L', commitTimeUs: 0, positions: {} };
      return {
        frontier,
        table: () => ({ spec: { id: 1, name: 't', schema }, rowCount: 0, visible: true, frontier }),
        changes: (_table: string, after: Place): FeedRead => {
          if (after.seq < this.retainedFrom) throw new AppError('too-old', `behind ${after.seq}`);
          const end = { seq: frontier.seq, index: Infinity };
          return { changes: changesBetween(after, frontier.seq), rebuilt: [], altered: [], next: end };
        },
        close: () => undefined,
      };
    };
    return { session } as unknown as StateReader;
  }
}

function changesBetween(after: Place, last: number): RowChange[] {
  const first = after.index >= 0 ? after.seq + 1 : after.seq;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    return { seq: first + i, index: 0, commitTimeUs: 0, before: null, after: [first + i] } as unknown as RowChange;
  });
}

describe('a resumed subscription', () => {
  it('gets no change twice when a commit falls between its start and its first read', async () => {
    const feed = new GrowingFeed(5);
    const subscriptions = new Subscriptions(feed.reader, alwaysCurrent, quiet as never);
    const stop = new AbortController();
    const events = subscriptions.subscribe({ table: 't', snapshot: false, after: 'L:2.0', signal: stop.signal });
    const ids: string[] = [];
    await events.next();
    feed.seq = 8; // committed; the channel was opened at 5 and has not been woken
    ids.push(...((await events.next()).value as { id: string }[]).map(({ id }) => id));
    const later = events.next();
    feed.seq = 9;
    subscriptions.wake();
    ids.push(...((await later).value as { id: string }[]).map(({ id }) => id));
    stop.abort();
    await events.return(undefined);
    expect(ids).toEqual([3, 4, 5, 6, 7, 8, 9].map((seq) => `L:${seq}.0`));
  });
});

describe('a subscription that nobody reads', () => {
  it('holds back no other of its table, also when the feed has gone on without it', async () => {
    const feed = new GrowingFeed(5);
    const subscriptions = new Subscriptions(feed.reader, alwaysCurrent, quiet as never);
    const stop = new AbortController();
    const unread = subscriptions.subscribe({ table: 't', snapshot: false, signal: stop.signal });
    await unread.next();
    feed.seq = 20;
    subscriptions.wake();
    feed.retainedFrom = 15;
    const events = subscriptions.subscribe({ table: 't', snapshot: false, signal: stop.signal });
    await events.next();
    feed.seq = 21;
    subscriptions.wake();
    const { value } = await events.next();
    expect((value as { id: string }[]).map(({ id }) => id)).toEqual(['L:21.0']);
    await expect(unread.next()).rejects.toThrow(expect.objectContaining({ code: 'too-old' }));
    stop.abort();
    await events.return(undefined);
  });
});
