// A process that reads a whole log on Kafka once and tells what that took, as JSON. Arguments: folder of the built program, brokers,
// service id, folder for spill files.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, brokers, serviceId, spillFolder] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(dist, path)).href);
const { openKafkaLog } = await load('stream/kafka/open-kafka-log.js');
const { silentLogger } = await load('core/logger.js');

const log = await openKafkaLog({ brokers: brokers.split(','), serviceId, logger: silentLogger, spillFolder });
const idleBytes = process.resourceUsage().maxRSS * 1024;
let records = 0;
let bytes = 0;
for await (const group of log.read(0, { follow: false })) {
  for (const { records: set } of group) {
    records += set.count;
    for (let i = 0; i < set.count; i++) bytes += (set.key(i)?.length ?? 0) + (set.value(i)?.length ?? 0);
  }
}
await log.close();
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ records, bytes, grownBytes: peakBytes - idleBytes }));
