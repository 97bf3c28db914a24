// A broker that stops answering (SIGSTOP: its connections stay open, and say nothing) holds up what needs it, and nothing else.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestEngine, until } from '../support/engine.js';
import { startKafka, type KafkaServer } from '../support/servers/kafka.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
let broker: KafkaServer;

beforeAll(async () => {
  if (servers.missing === false) broker = await startKafka({ heap: '256m' });
}, 120_000);
afterAll(async () => {
  signal('SIGCONT');
  await broker?.close();
});

function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
  if (broker?.pid !== undefined) process.kill(broker.pid, name);
}

it.skipIf(servers.missing)(
  'in the middle of a rebuild: rows are read, statements are refused, and the engine stops',
  { timeout: 120_000 },
  async ({ skip }) => {
    if (broker.pid === undefined) skip('a broker in a container is not stopped by a signal');
    const stream = { kind: 'kafka', url: `kafka://${broker.brokers.join(',')}` } as const;
    const engine = await new TestEngine({ serviceId: 'silence', stream, rowsPerStep: 5 }).open();
    try {
      await engine.run(
        `CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='t', FORMAT='JSON', PARTITIONS=2);`,
      );
      const ids = Array.from({ length: 100 }, (_, id) => id);
      await Promise.all(ids.map((id) => engine.run(`INSERT INTO t (id, v) VALUES (${id}, 1);`)));
      signal('SIGSTOP');
      await engine.api.rebuild('t');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect((await engine.api.rebuilds()).map(({ state }) => state)).toEqual(['building']);
      expect(engine.rows('t')).toHaveLength(100);
      expect(await engine.tryRun('CREATE TABLE u AS SELECT nope FROM t;')).toBe('invalid-statement');
      const startMs = performance.now();
      await engine.stop();
      expect(performance.now() - startMs).toBeLessThan(2000);
      signal('SIGCONT');
      await engine.open();
      await until(
        async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'),
        'the rebuild',
        60_000,
      );
      expect(engine.rows('t')).toHaveLength(100);
      expect(engine.failed).toBeUndefined();
    } finally {
      signal('SIGCONT');
      await engine.remove();
    }
  },
);
