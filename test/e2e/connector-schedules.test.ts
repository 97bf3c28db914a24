// What a connector does by the clock: a row that is wrong here is found, told by status and metrics, and made good.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConnectorStatus } from '../../src/connect/connect-facade.js';
import { openApp } from '../support/harness/app-process.js';
import { connectorCalls } from '../support/harness/connector-calls.js';
import { request } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { restated } from '../support/restate.js';
import { Database } from '../support/sqlite-driver.js';

it('tables are compared, and read again, by the clock', { timeout: 60_000 }, async () => {
  const app = await openApp();
  const file = join(app.dir, 'shop.db');
  const source = new Database(file);
  source.pragma('journal_mode = WAL');
  source.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO a VALUES (1, 'a'), (2, 'a'), (3, 'a')");
  source.close();
  const { put, serves, status } = connectorCalls(app);
  const config = { 'connector.class': 'SqliteCdcSource', 'database.file': file, 'topic.prefix': 'p' };
  const verified = (differences: number, since: string) =>
    waitFor(`${differences} differences`, async () => {
      const { verified: found } = await status();
      return found !== undefined && found.startedAt > since && found.differences === differences && found;
    });
  const falsify = async () => {
    await app.kill();
    const kept = new Database(join(app.dataDir, 'writethrough.db'));
    const sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't%\\_v%' ESCAPE '\\'";
    const { name } = kept.prepare(sql).get() as { name: string };
    kept.close();
    restated(app.dataDir, `UPDATE ${name} SET v = 'x' WHERE id = 2`);
    await app.start();
  };
  try {
    await app.start();
    await put({ ...config, 'verify.schedule.interval.ms': '200' });
    await serves('a', ['1a', '2a', '3a']);
    const equal = await verified(0, '');
    expect(equal).toMatchObject({ state: 'done', tables: 1, skipped: 0, rows: 3, repaired: 0 });

    await falsify();
    const found = await verified(1, equal.endedAt);
    expect(found).toMatchObject({ state: 'done', rows: 3, repaired: 0 });
    await serves('a', ['1a', '2x', '3a']);
    const { text: metrics } = await request(`${app.url}/metrics`);
    expect(metrics).toMatch(/^writethrough_verify_differences\{connector="c"\} 1$/m);
    expect(metrics).toMatch(/^writethrough_verify_seconds\{connector="c"\} \d/m);
    expect(metrics).toMatch(/^writethrough_verify_timestamp_seconds\{connector="c"\} \d{10}/m);
    expect(app.log()).toMatch(/"level":40,.*"differences":1.*tables were compared with their source/);

    // What is read again comes as it is at the source.
    await put({ ...config, 'snapshot.schedule.interval.ms': '200' });
    await serves('a', ['1a', '2a', '3a']);
    const { schedules, verified: kept }: ConnectorStatus = await status();
    expect(schedules).toMatchObject({ snapshot: { intervalMs: 200 } });
    // The newest one is kept; it may be one that the new configuration has cut off.
    expect(kept).toMatchObject(kept?.state === 'failed' ? { error: { code: 'not-ready' } } : { state: 'done' });
  } finally {
    await app.close();
  }
});
