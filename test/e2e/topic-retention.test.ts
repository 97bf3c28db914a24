// How long topics keep records, as people set it: WITH, connector properties, options of the process, the API, the command line. On both
// logs; on Kafka the brokers are asked.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { configsOf, deleteTopicsOf } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { Database } from '../support/sqlite-driver.js';

const { missing, kafka } = await sharedServers('kafka');
const main = join(import.meta.dirname, '../../dist/main.js');
const timeout = 120_000;
const hour = 3_600_000;

let app: App;
let prefix = '';
let onKafka = false;
afterEach(async () => {
  await app.close();
  if (onKafka) await deleteTopicsOf(kafka.brokers, prefix);
});

interface Topic {
  readonly name: string;
  readonly cleanupPolicy: string;
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/** As the brokers say it, or the embedded log. */
async function settings(topic: string): Promise<readonly string[]> {
  const { topics } = await requestJson<{ topics: Topic[] }>(`${app.url}/v1/topics`);
  const found = topics.find(({ name }) => name === topic);
  if (!found) return [];
  const shown = [found.cleanupPolicy, String(found.retentionMs), String(found.retentionBytes)];
  if (!onKafka) return shown;
  const [{ cleanup, ms, bytes }] = (await configsOf(kafka.brokers, [topic])) as [
    { cleanup?: string; ms?: string; bytes?: string },
  ];
  expect([cleanup, ms, bytes]).toEqual(shown);
  return shown;
}

const ksql = (sql: string) => request(`${app.url}/ksql`, { body: { ksql: sql } });

describe.each([
  ['embedded log', false],
  ['Kafka', true],
])('on the %s', (_log, kafkaLog) => {
  it.skipIf(kafkaLog && missing)(
    'statements, connectors, options and alterations decide what topics keep',
    { timeout },
    async () => {
      onKafka = kafkaLog;
      prefix = `keep${process.pid}-${Date.now()}`;
      app = await openApp({
        args: [
          ...(kafkaLog ? ['--stream', `kafka://${kafka.brokers.join(',')}`] : []),
          '--topic-retention-ms',
          String(hour),
        ],
        env: { WRITETHROUGH_SERVICE_ID: prefix, WRITETHROUGH_TOPIC_RETENTION_BYTES: '50000000' },
      });
      await app.start();
      const file = join(app.dir, 'shop.db');
      const database = new Database(file);
      database.exec('PRAGMA journal_mode = WAL');
      for (const table of ['accounts', 'events', 'logs'])
        database.exec(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY)`);
      database.close();
      const connector = (more: Readonly<Record<string, string>>) =>
        request(`${app.url}/connectors/c/config`, {
          method: 'PUT',
          body: {
            'connector.class': 'SqliteCdcSource',
            'database.file': file,
            'topic.prefix': prefix,
            'output.shape': 'flat',
            ...more,
          },
        });
      const refused = await connector({ 'topic.creation.default.retention.ms': '5000' });
      expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('loses nothing by age or size')]);
      const created = await connector({
        'topic.creation.groups': 'short',
        'topic.creation.short.include': '.*\\.(events|logs)',
        'topic.creation.short.exclude': '.*logs',
        'topic.creation.short.cleanup.policy': 'delete',
        'topic.creation.short.retention.ms': '7200000',
      });
      expect([created.status, created.text]).toEqual([201, expect.any(String)]);
      await waitFor('the topics of the connector', async () => (await settings(`${prefix}.shop.logs`)).length > 0);
      expect(await settings(`${prefix}.shop.events`)).toEqual(['delete', '7200000', '50000000']);
      expect(await settings(`${prefix}.shop.accounts`)).toEqual(['compact', '-1', '-1']);

      const topic = (name: string) => `${prefix}.${name}`;
      const declared = await ksql(
        `CREATE STREAM s (id INT KEY, v STRING) WITH (KAFKA_TOPIC='${topic('s')}', FORMAT='JSON', PARTITIONS=1);
         CREATE STREAM d WITH (KAFKA_TOPIC='${topic('d')}', RETENTION_MS=9000000, RETENTION_BYTES=-1) AS SELECT * FROM s;`,
      );
      expect(declared.status).toBe(200);
      expect(await settings(topic('s'))).toEqual(['delete', String(hour), '50000000']);
      expect(await settings(topic('d'))).toEqual(['delete', '9000000', '-1']);
      const table = await ksql(`CREATE TABLE t WITH (RETENTION_MS=5) AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;`);
      expect([table.status, table.text]).toEqual([400, expect.stringContaining('do not support retention')]);

      const { data } = await requestJson<{ data: { cluster_id: string }[] }>(`${app.url}/v3/clusters`);
      const configs = `${app.url}/v3/clusters/${data[0]!.cluster_id}/topics/${topic('s')}/configs`;
      const put = await request(`${configs}/retention.ms`, { method: 'PUT', body: { value: '8000000' } });
      expect(put.status).toBe(204);
      expect(await settings(topic('s'))).toEqual(['delete', '8000000', '50000000']);
      const args = ['topics', 'alter', topic('s'), '--retention-ms', 'default', '--retention-bytes', '60000000'];
      await promisify(execFile)(process.execPath, [main, '--url', app.url, ...args]);
      expect(await settings(topic('s'))).toEqual(['delete', String(hour), '60000000']);
      const compacted = await request(`${configs.replace(topic('s'), `${prefix}.shop.accounts`)}/retention.ms`, {
        method: 'PUT',
        body: { value: '5' },
      });
      expect([compacted.status, compacted.text]).toEqual([400, expect.stringContaining('is compacted')]);

      await app.kill();
      await app.start();
      expect(await settings(topic('s'))).toEqual(['delete', String(hour), '60000000']);
    },
  );
});
