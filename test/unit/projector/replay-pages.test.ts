// Pages of a replay are read beside the loop: whatever is committed meanwhile, whenever reading comes to an answer, however often a
// rollback asks again, they are the same function of the log, and the end is met while the frontier runs.
import { describe, expect, it } from 'vitest';
import { RecordSet } from '../../../src/core/record.js';
import type { Append } from '../../../src/core/append.js';
import { ReplayPages, type ReplayPage } from '../../../src/projector/replay-pages.js';
import { appendChunk } from '../../support/chunk.js';
import { createDice, randomSeed } from '../../support/harness/dice.js';

const topic = 't';

/** An append of so many records of the topic (0: of another one). */
function append(seq: number, records: number): Append {
  const of = records === 0 ? [{ topic: 'other', key: 'k', value: 'v' }] : [];
  for (let i = 0; i < records; i++) of.push({ topic, key: `${seq}`, value: `${i}` });
  const { data, topics, extents, recordCount } = appendChunk(`${seq}`, of);
  const set = new RecordSet({ buffers: [Buffer.from(data.buffer)], topics, extents, count: recordCount });
  return { seq, producer: 'p', position: `${seq}`, commitTimeUs: seq, records: set };
}

/** What the page behind `after` is, by definition. */
function pageOf(log: readonly Append[], after: number, frontier: number, rows: number): ReplayPage {
  const appends: Append[] = [];
  let count = 0;
  for (const each of log) {
    if (each.seq <= after || each.seq > frontier) continue;
    appends.push(each);
    if (each.records.topics.includes(topic)) count += each.records.count;
    if (count >= rows) return { appends, upTo: each.seq, atEnd: false };
  }
  return { appends, upTo: frontier, atEnd: true };
}

const recordsIn = ({ appends }: ReplayPage) =>
  appends.flatMap(({ seq, records }) =>
    Array.from(
      { length: records.topics.includes(topic) ? records.count : 0 },
      (_, i) => `${seq} ${records.value(i)!.toString()}`,
    ),
  );

describe('pages of a replay', () => {
  it('are what the log says, whatever comes between', { timeout: 60_000 }, async () => {
    const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
    for (let round = 0; round < 100; round++) {
      const dice = createDice(seed + round);
      const rows = dice.between(1, 5);
      const log: Append[] = [];
      let seq = 0;
      const more = (count: number) => {
        const fresh = Array.from({ length: count }, () => append((seq += dice.between(1, 3)), dice.between(0, 3)));
        log.push(...fresh);
        return fresh;
      };
      more(dice.between(0, 59));
      let frontier = seq;
      let woken = 0;
      const pages = new ReplayPages({
        topic,
        onRead: () => woken++,
        tailBytesMax: dice.between(0, 2) === 0 ? 20 : 10_000,
        async *read(after) {
          for (let at = after; ;) {
            for (let turns = dice.between(0, 2); turns > 0; turns--) await nextTurn();
            const group = log.filter((each) => each.seq > at).slice(0, dice.between(1, 8));
            if (group.length === 0) return;
            at = group.at(-1)!.seq;
            yield group;
          }
        },
      });
      let after = 0;
      let asked = 0;
      for (let atEnd = false; !atEnd;) {
        expect(++asked, `turns of round ${round}, TEST_SEED=${seed}`).toBeLessThan(5000);
        if (asked < 200 && dice.between(0, 2) > 0) {
          // The engine commits; the log may be ahead of it.
          const fresh = more(dice.between(0, 2));
          const applied = log.filter((each) => each.seq > frontier);
          expect(applied.length).toBeGreaterThanOrEqual(fresh.length);
          frontier = Math.max(frontier, seq);
          pages.applied(applied);
        }
        const page = pages.next(after, frontier, rows);
        if (page === undefined) await nextTurn();
        else {
          const wanted = pageOf(log, after, frontier, rows);
          const where = `round ${round}, TEST_SEED=${seed}`;
          expect({ upTo: page.upTo, atEnd: page.atEnd, records: recordsIn(page) }, where).toEqual({
            upTo: wanted.upTo,
            atEnd: wanted.atEnd,
            records: recordsIn(wanted),
          });
          // A rollback asks for the same page again, or for an earlier one.
          const fate = dice.between(0, 9);
          if (fate === 0 && asked < 300) after = 0;
          else if (fate > 2) {
            after = page.upTo;
            atEnd = page.atEnd;
          }
        }
      }
      await pages.close();
    }
  });

  it('meet the end although something is committed in every turn', async () => {
    const log: Append[] = [append(1, 1)];
    let seq = 1;
    const pages = new ReplayPages({
      topic,
      onRead: () => {},
      async *read(after) {
        for (let at = after; ;) {
          await nextTurn();
          const group = log.filter((each) => each.seq > at).slice(0, 10);
          if (group.length === 0) return;
          at = group.at(-1)!.seq;
          yield group;
        }
      },
    });
    let after = 0;
    let turns = 0;
    for (let atEnd = false; !atEnd; turns++) {
      expect(turns).toBeLessThan(1000);
      const fresh = append(++seq, 1);
      log.push(fresh);
      pages.applied([fresh]);
      const page = pages.next(after, seq, 5);
      if (page === undefined) await nextTurn();
      else ({ upTo: after, atEnd } = page);
    }
    await pages.close();
  });

  it('say what reading has failed with once, and read on', async () => {
    let fails = true;
    const pages = new ReplayPages({
      topic,
      onRead: () => {},
      async *read() {
        if (fails) throw new Error('gone');
        yield [append(1, 1)];
      },
    });
    expect(pages.next(0, 1, 10)).toBeUndefined();
    await nextTurn();
    expect(pages.failed).toBe(true);
    expect(() => pages.next(0, 1, 10)).toThrow('gone');
    fails = false;
    expect(pages.next(0, 1, 10)).toBeUndefined();
    await nextTurn();
    expect(pages.next(0, 1, 10)).toMatchObject({ upTo: 1, atEnd: true });
    await pages.close();
  });

  it('end at once when they are closed, though the log gives no answer', async () => {
    const pages = new ReplayPages({
      topic,
      onRead: () => {
        throw new Error('nobody is to be woken');
      },
      async *read(_after, signal) {
        yield await new Promise<readonly Append[]>((_, reject) => {
          signal.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')), { once: true });
        });
      },
    });
    expect(pages.next(0, 1, 10)).toBeUndefined();
    await pages.close();
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
