// A real Kafka Connect worker with Debezium's connectors, from jars that lie in a folder (`connect`, `debezium-mysql`, `debezium-mariadb`, as
// Maven's dependency:copy-dependencies leaves them).
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestJson } from '../../support/harness/http-client.js';
import { freePort } from '../../support/servers/command.js';
import { createProcessControl } from '../../support/servers/control.js';

export interface ConnectWorker {
  readonly url: string;
  close(): Promise<void>;
}

/** The worker has these itself, and a plug-in with its own would not find the worker's classes. */
const ownJars = /^(connect-api-|kafka-clients-|slf4j-api-|jakarta\.ws|lz4-|snappy-)/;

export async function startWorker(jars: string, brokers: readonly string[]): Promise<ConnectWorker> {
  const dir = mkdtempSync(join(tmpdir(), 'writethrough-worker-'));
  const plugins = join(dir, 'plugins');
  for (const product of ['mysql', 'mariadb']) {
    mkdirSync(join(plugins, product), { recursive: true });
    const from = join(jars, `debezium-${product}`);
    for (const jar of readdirSync(from))
      if (!ownJars.test(jar)) symlinkSync(join(from, jar), join(plugins, product, jar));
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const converter = 'org.apache.kafka.connect.json.JsonConverter';
  const storage = ['config', 'offset', 'status'].flatMap((what) => [
    `${what}.storage.topic=worker-${what}`,
    `${what}.storage.replication.factor=1`,
  ]);
  const settings = [
    `bootstrap.servers=${brokers.join(',')}`,
    'group.id=worker',
    `listeners=${url}`,
    `key.converter=${converter}`,
    `value.converter=${converter}`,
    ...storage,
    'offset.storage.partitions=1',
    'status.storage.partitions=1',
    `plugin.path=${plugins}`,
  ];
  const properties = join(dir, 'worker.properties');
  writeFileSync(properties, settings.join('\n'));
  const main = 'org.apache.kafka.connect.cli.ConnectDistributed';
  const control = createProcessControl({
    name: 'connect worker',
    file: 'java',
    args: () => ['-Xmx1500m', '-XX:TieredStopAtLevel=1', '-cp', join(jars, 'connect', '*'), main, properties],
    dir,
    logPath: join(dir, 'worker.log'),
    ready: async () => void (await requestJson(`${url}/connectors`)),
    readyDeadlineMs: 180_000,
  });
  await control.start();
  return { url, close: () => control.close() };
}
