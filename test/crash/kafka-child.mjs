// A process that writes numbered appends to a log on Kafka until it is killed, beginning behind its producer's position.
// Arguments: folder of the built program, brokers, service id, `appends` or `sinks`. Prints each durable number, a line each.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, brokers, serviceId, mode] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(dist, path)).href);
const { ChunkEnds } = await load('core/chunk-ends.js');
const { openKafkaLog } = await load('stream/kafka/open-kafka-log.js');
const { silentLogger } = await load('core/logger.js');
const { extent, extentSize, opCode, RecordSet } = await load('core/record.js');

const log = await openKafkaLog({ brokers: brokers.split(','), serviceId, logger: silentLogger });
const topics = [`${serviceId}.${mode}-a`, `${serviceId}.${mode}-b`];
await log.createTopic({ name: topics[0], partitions: 1, cleanup: 'delete' });
await log.createTopic({ name: topics[1], partitions: 2, cleanup: 'delete' });

/** Append n: n % 4 + 1 records, spread over the topics and partitions; value `n.order`. */
function recordsOf(n) {
  const count = (n % 4) + 1;
  const extents = new Int32Array(count * extentSize);
  const data = Buffer.alloc(count * 64);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const row = i * extentSize;
    const text = `${n}.${i}`;
    extents[row + extent.op] = opCode.c;
    extents[row + extent.topic] = i % 2;
    extents[row + extent.partition] = i % 2 === 0 ? 0 : n % 2;
    for (const [start, length] of [
      [extent.keyStart, extent.keyLength],
      [extent.valueStart, extent.valueLength],
    ]) {
      extents[row + start] = at;
      extents[row + length] = data.write(text, at);
      at += text.length;
    }
  }
  return { data, extents, count };
}

const producer = mode === 'sinks' ? await log.openSinkProducer() : await log.openProducer('writer');
const sinks = mode === 'sinks';
producer.onDurable((position) => writeSync(1, `${sinks ? position.seq : position}\n`));
for (let n = Number((sinks ? producer.position.seq : producer.position) ?? 0) + 1; ; n++) {
  const { data, extents, count } = recordsOf(n);
  const commitTimeUs = Date.now() * 1000;
  if (sinks) {
    const records = new RecordSet({ buffers: [data], topics, extents, count });
    await producer.write({ seq: n, piece: 0, commitTimeUs, records });
  } else {
    const ends = ChunkEnds.of([{ recordEnd: count, position: String(n), commitTimeUs }]);
    await producer.write({ data, topics, extents, recordCount: count, ends });
  }
  // So that groups of all sizes occur, and the run does not write faster than it can be checked.
  if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, n % 3));
}
