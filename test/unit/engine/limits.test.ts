// Full load: a producer that never lets the engine's queue run dry, so there is no turn without a commit. What is limited stays within its
// limit all the time, and the file takes what was freed for what comes next.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { TestEngine, type TestRow } from '../../support/engine.js';
import { ownerless } from '../../support/ownerless.js';
import { Database } from '../../support/sqlite-driver.js';

const mb = 1024 * 1024;
let engine: TestEngine;
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

/** About 100 KB in the log and 200 KB in the feed. */
function rows(round: number): TestRow[] {
  return Array.from({ length: 100 }, (_, i) => ({
    table: round % 3 === 2 ? 'cut' : 'a',
    key: i,
    row: { id: i, name: `${round} `.padEnd(1000, 'x') },
  }));
}

it(
  'keeps feed, compacted topic and a topic that is cut within their limits, and the file with them',
  { timeout: 120_000 },
  async () => {
    const feedLimit = 20 * mb;
    const topicLimit = 10 * mb;
    engine = await new TestEngine({ feed: { ms: 86_400_000, bytes: feedLimit }, compactionBytes: topicLimit }).open();
    await engine.capture('a');
    await engine.capture('cut', undefined, false, { cleanup: 'delete', retention: { ms: null, bytes: topicLimit } });
    const file = join(engine.folder, 'writethrough.db');
    const database = new Database(file);
    const read = database
      .prepare(
        `SELECT (SELECT feed_bytes FROM wt_frontier),
         (SELECT sum(bytes) FROM wt_batch JOIN wt_topic t ON t.id = topic_id WHERE cleanup = 'compact'),
         (SELECT sum(bytes) FROM wt_batch JOIN wt_topic t ON t.id = topic_id WHERE cleanup = 'delete')`,
      )
      .raw();
    let feedMost = 0;
    let compactedMost = 0;
    let cutMost = 0;
    engine.onCommitted = () => {
      const [feed, compacted, cut] = read.get() as [number, number, number];
      feedMost = Math.max(feedMost, feed);
      compactedMost = Math.max(compactedMost, compacted);
      cutMost = Math.max(cutMost, cut);
    };
    const rounds = 601;
    for (let round = 0; round < rounds; round++) await engine.send(rows(round));
    await engine.producer.flush();
    expect(feedMost).toBeGreaterThan(feedLimit * 0.9);
    expect(feedMost).toBeLessThanOrEqual(feedLimit * 1.2);
    // Some live KB, and what waits for compaction.
    expect(compactedMost).toBeGreaterThan(topicLimit * 0.7);
    expect(compactedMost).toBeLessThanOrEqual(topicLimit * 1.2);
    expect(cutMost).toBeGreaterThan(topicLimit * 0.9);
    expect(cutMost).toBeLessThanOrEqual(topicLimit * 1.2);
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    expect(statSync(file).size).toBeLessThanOrEqual(1.2 * (feedLimit + 2 * topicLimit));
    expect(engine.rows('a')[0]![1]).toContain(`${rounds - 1} x`);
    expect(ownerless(file)).toEqual([]);
  },
);
