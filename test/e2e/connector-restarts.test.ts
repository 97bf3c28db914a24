// A connector whose source is lost starts again by itself, and says meanwhile why it waits and when it is tried again; a bounded number of
// tries ends it with the reason.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConnectorStatus } from '../../src/connect/connect-facade.js';
import { openApp } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { Database } from '../support/sqlite-driver.js';

it('a connector without its source is tried again, and says why and when', { timeout: 60_000 }, async () => {
  const app = await openApp();
  const file = join(app.dir, 'shop.db');
  const away = join(app.dir, 'away.db');
  const source = new Database(file);
  source.pragma('journal_mode = WAL');
  source.exec('CREATE TABLE item (id INTEGER PRIMARY KEY); INSERT INTO item VALUES (1)');
  source.close();
  const status = () => requestJson<ConnectorStatus>(`${app.url}/connectors/c/status`);
  const put = (more: object) =>
    requestJson(`${app.url}/connectors/c/config`, {
      method: 'PUT',
      body: { 'connector.class': 'SqliteCdcSource', 'database.file': file, 'errors.retry.delay.max.ms': '50', ...more },
    });
  const streams = () => waitFor('the stream', async () => (await status()).source.phase === 'streaming');
  const restart = () => request(`${app.url}/connectors/c/restart`, { method: 'POST' });
  try {
    await app.start();
    await put({});
    await streams();
    renameSync(file, away);
    await restart();
    const waiting = await waitFor('a third try', async () => {
      const now = await status();
      return (now.source.retry?.attempt ?? 0) >= 3 && now;
    });
    expect(waiting.source).toMatchObject({
      phase: 'waiting',
      reason: expect.stringMatching(/there is no file .*shop\.db/) as string,
      retry: { code: 'source-unreachable' },
    });
    expect(Math.abs(Date.parse(waiting.source.retry!.at) - Date.now())).toBeLessThan(30_000);
    const { text: metrics } = await request(`${app.url}/metrics`);
    const labels = String.raw`\{connector="c",code="source-unreachable"\}`;
    expect(metrics).toMatch(new RegExp(`writethrough_connector_retry_attempt${labels} \\d`));
    expect(metrics).toMatch(new RegExp(`writethrough_connector_retry_timestamp_seconds${labels} \\d{10}`));
    renameSync(away, file);
    await streams();
    expect((await status()).source.retry).toBeUndefined();
    expect((await request(`${app.url}/metrics`)).text).not.toMatch(/^writethrough_connector_retry_attempt/m);

    await put({ 'errors.max.retries': '2' });
    await streams();
    renameSync(file, away);
    await restart();
    const failed = await waitFor('the end of its tries', async () => {
      const now = await status();
      return now.tasks[0]?.state === 'FAILED' && now;
    });
    expect(failed.tasks[0]!.trace).toMatch(
      /there is no file .*\n.*it was tried again 2 times \(errors\.max\.retries\)/s,
    );
    renameSync(away, file);
    await restart();
    await streams();
  } finally {
    await app.close();
  }
});
