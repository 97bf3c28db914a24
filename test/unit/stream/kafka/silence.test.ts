// Brokers that accept connections and say nothing, or half an answer: every call ends within its deadline, and closing waits for none.
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/core/logger.js';
import { BrokerLink } from '../../../../src/stream/kafka/broker-link.js';
import { openKafkaLog } from '../../../../src/stream/kafka/open-kafka-log.js';
import { LeaderGroup } from '../../../../src/stream/kafka/leader-group.js';
import { AdminClient } from '../../../../src/stream/kafka/admin-client.js';
import { metadataRequest } from '../../../../src/stream/kafka/requests.js';
import { startSilentServer, type SilentServer } from '../../../support/silent-server.js';

/** An answer says how long it is: more is to come. */
const halfAnswer = Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 0]);
const deadlines = { connect: 300, request: 300, call: 700, delivery: 1000 };

let server: SilentServer;
afterEach(() => server.close());

const address = () => ({ brokers: [`${server.host}:${server.port}`], deadlines, logger: silentLogger });

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  try {
    return await work();
  } finally {
    expect(performance.now() - startMs).toBeLessThan(ms);
  }
}

describe.each([
  ['nothing', Buffer.alloc(0)],
  ['half an answer', halfAnswer],
])('brokers that say %s', (_what, greeting) => {
  it('a log that is opened is log-unreachable, with a hint', async () => {
    server = await startSilentServer(greeting);
    await within(3000, () =>
      expect(openKafkaLog({ ...address(), serviceId: 's' })).rejects.toMatchObject({
        code: 'log-unreachable',
        retriable: true,
        hint: expect.stringContaining('brokers') as string,
      }),
    );
  });

  it('a log that is being opened ends at once when its signal aborts', async () => {
    server = await startSilentServer(greeting);
    const stop = new AbortController();
    const slow = { connect: 60_000, request: 60_000, call: 60_000, delivery: 60_000 };
    const opening = openKafkaLog({ ...address(), deadlines: slow, serviceId: 's', signal: stop.signal });
    const ended = expect(opening).rejects.toThrow();
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBeGreaterThan(0);
    await within(1000, async () => {
      stop.abort();
      await ended;
    });
  });

  it('a request names the setting, and rejects at once when the link is closed', async () => {
    server = await startSilentServer(greeting);
    const link = new BrokerLink({ ...address(), clientId: 'test', knownTopic: 't' });
    const ask = async () => link.send(await link.anyBroker(), metadataRequest([]));
    await within(3000, () => expect(ask()).rejects.toThrow('request.timeout.ms'));
    const asked = ask();
    link.close();
    await within(200, () => expect(asked).rejects.toMatchObject({ name: 'AbortError' }));
  });

  it('the admin client rejects', async () => {
    server = await startSilentServer(greeting);
    const admin = new AdminClient({ ...address(), clientId: 'test' });
    await within(6000, () => expect(admin.use((client) => client.listTopics())).rejects.toThrow());
  });

  it('who asks for the leadership can leave at once', async () => {
    server = await startSilentServer(greeting);
    const failures: unknown[] = [];
    const group = new LeaderGroup({
      ...address(),
      serviceId: 's',
      instance: 'i',
      url: 'http://127.0.0.1:1',
      candidate: true,
      onChange: () => {},
      onFailed: (error) => failures.push(error),
    });
    group.start();
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBeGreaterThan(1);
    await within(2500, () => group.leave());
    expect(failures).toEqual([]);
  });
});
