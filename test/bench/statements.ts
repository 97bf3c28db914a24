// `statements-kafka`: INSERT VALUES into a stream on Kafka, one after the other, beside a transaction of kafkajs with one record.
import { Kafka, logLevel } from 'kafkajs';
import { openApp } from '../support/harness/app-process.js';
import { percentile } from '../support/harness/figures.js';
import { requestJson } from '../support/harness/http-client.js';
import { uniqueName } from '../support/servers/sql-client.js';
import type { Bench, Figure } from './bench.js';

const warmUpStatements = 20;

export const statementsKafka: Bench = {
  summary: 'INSERT VALUES with the stream on Kafka (statements)',
  run: async (env) => {
    const statements = env.number('statements', 200);
    const { brokers } = await env.pool.get('kafka');
    const plain = await plainTransactions(brokers, statements);
    const app = await openApp({ args: ['--stream', `kafka://${brokers.join(',')}`] });
    try {
      await app.start();
      const post = (ksql: string) => requestJson(`${app.url}/ksql`, { method: 'POST', body: { ksql } });
      await post("CREATE STREAM s (id INT KEY, v VARCHAR) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);");
      const ours = await times(statements, (i) => post(`INSERT INTO s (id, v) VALUES (${i}, 'v');`));
      const figure = (name: string, share: number): Figure => ({
        name: `INSERT VALUES, ${name}`,
        value: percentile(ours, share),
        unit: 'ms',
        baseline: { name: 'a kafkajs transaction', value: percentile(plain, share) },
      });
      return [figure('p50', 0.5), figure('p99', 0.99)];
    } finally {
      await app.close();
    }
  },
};

async function plainTransactions(brokers: readonly string[], count: number): Promise<readonly number[]> {
  const topic = uniqueName('bench');
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  try {
    return await times(count, async (i) => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ key: String(i), value: 'v' }] });
      await transaction.commit();
    });
  } finally {
    await producer.disconnect();
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }
}

async function times(count: number, act: (i: number) => Promise<unknown>): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let i = 0; i < warmUpStatements + count; i++) {
    const startMs = performance.now();
    await act(i);
    if (i >= warmUpStatements) taken.push(performance.now() - startMs);
  }
  return taken;
}
