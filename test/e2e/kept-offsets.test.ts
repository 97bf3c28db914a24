// The offset of a source that has no other place than the one that was reached: it is given up, or left as it is.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openApp } from '../support/harness/app-process.js';
import { connectorCalls } from '../support/harness/connector-calls.js';
import { Database } from '../support/sqlite-driver.js';

it('of an SQLite file and of polled tables an offset is given up or left as it is', { timeout: 60_000 }, async () => {
  const app = await openApp();
  const file = join(app.dir, 'shop.db');
  const source = new Database(file);
  try {
    source.pragma('journal_mode = WAL');
    source.exec("CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO a VALUES (1, 'a'), (2, 'a')");
    await app.start();
    const { call, offsets, put, set, serves } = connectorCalls(app);
    const configs = [
      { 'connector.class': 'SqliteCdcSource', 'database.file': file },
      {
        'connector.class': 'MySqlSource',
        'connection.url': `jdbc:sqlite:${file}`,
        mode: 'bulk',
        'poll.interval.ms': '100',
      },
    ];
    let expected = ['1a', '2a'];
    for (const config of configs) {
      await put({ ...config, 'topic.prefix': 'p', 'output.data.format': 'JSON' });
      await serves('a', expected);
      await call('PUT', '/stop');
      const [now] = await offsets();
      expect(await set(now!.offset)).toMatchObject({ status: 200 });
      expect(await offsets()).toEqual([now]);
      const refused = await set({ ...now!.offset, other: 7 });
      expect([refused.status, refused.body.message]).toEqual([400, expect.stringMatching(/cannot be set: /)]);
      if (expected[0] === '1a') {
        source.exec("UPDATE a SET v = 'b' WHERE id = 1; DELETE FROM a WHERE id = 2; INSERT INTO a VALUES (3, 'b')");
        expected = ['1b', '3b'];
      } else {
        source.exec("UPDATE a SET v = 'c' WHERE id = 1");
        expected = ['1c', '3b'];
      }
      expect(await set(null)).toMatchObject({ status: 200 });
      await call('PUT', '/resume');
      await serves('a', expected);
      await call('DELETE', '?topics=true&uninstall=true');
    }
  } finally {
    source.close();
    await app.close();
  }
});
