// In which partitions a log's records lie, for the law that a key lies where every Kafka client puts it. The hashes are those of
// Kafka's own Java client (murmur2, from its unit tests).
import { expect } from 'vitest';
import { until, type TestEngine } from './engine.js';

const javaHashes: readonly (readonly [key: string, murmur2: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];
const partitions = 4;

/** Rows by INSERT, what a query derives of them, and rows without a key; the names begin with `prefix`. */
export async function checkPlacement(engine: TestEngine, prefix: string): Promise<void> {
  const [keyed, derived, keyless] = ['keyed', 'derived', 'keyless'].map((name) => `${prefix}_${name}`);
  await engine.run(`
    CREATE TABLE ${keyed} (k STRING PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='${keyed}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=${partitions});
    CREATE TABLE ${derived} AS SELECT k, v FROM ${keyed};
    CREATE STREAM ${keyless} (v INT) WITH (KAFKA_TOPIC='${keyless}', VALUE_FORMAT='JSON', PARTITIONS=${partitions});
  `);
  for (const [i, [key]] of javaHashes.entries())
    await engine.run(`INSERT INTO ${keyed} (k, v) VALUES ('${key}', ${i});`);
  for (let v = 0; v < 2 * partitions; v++) await engine.run(`INSERT INTO ${keyless} (v) VALUES (${v});`);
  const wanted = Object.fromEntries(javaHashes.map(([key, hash]) => [key, (hash & 0x7fffffff) % partitions]));
  for (const topic of [keyed!, derived!]) {
    let placed: Readonly<Record<string, number>> = {};
    await until(async () => {
      placed = await placesOf(engine, topic);
      return Object.keys(placed).length === javaHashes.length;
    }, `${topic} has its records`);
    expect(placed, topic).toEqual(wanted);
  }
  for (let partition = 0; partition < partitions; partition++)
    expect(await engine.api.readTopic(keyless!, partition, 0, 100), `keyless, partition ${partition}`).toHaveLength(2);
}

/** The partition of each key. */
async function placesOf(engine: TestEngine, topic: string): Promise<Readonly<Record<string, number>>> {
  const places: Record<string, number> = {};
  for (let partition = 0; partition < partitions; partition++) {
    for (const { key } of await engine.api.readTopic(topic, partition, 0, 100))
      places[Buffer.from(key!).toString()] = partition;
  }
  return places;
}
