// A process that writes appends and rows into a data folder until it is killed: the engine's commit without the rest of the engine.
// Arguments: folder of the built program, data folder, durability. Prints the position of each durable append, a line each.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, folder, durability] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(dist, path)).href);
const { openDatabase } = await load('sqlite/database.js');
const { lockFolder } = await load('sqlite/lock.js');
const { openCheckpointer } = await load('sqlite/checkpoint.js');
const { openEmbeddedLog } = await load('stream/embedded/embedded-log.js');
const { openStateStore } = await load('store/sqlite/state-store.js');
const { RecordSet, extentSize } = await load('core/record.js');

lockFolder(folder);
const path = join(folder, 'writethrough.db');
const database = openDatabase(path, { durability });
const log = openEmbeddedLog(database, {
  durability,
  compaction: { dirtyBytes: 0, dirtyRatio: 0.3 },
});
log.createTopicNow({ name: 'kept', partitions: 2, cleanup: 'delete' });
log.createTopicNow({ name: 'short', partitions: 1, cleanup: 'delete', retentionBytes: 100_000 });
log.createTopicNow({ name: 'compacted', partitions: 1, cleanup: 'compact' });
const state = openStateStore(database, { logId: log.logId });
const spec = {
  id: 1,
  version: 1,
  name: 'counts',
  schema: {
    columns: [
      { name: 'id', type: { kind: 'INTEGER' } },
      { name: 'position', type: { kind: 'BIGINT' } },
    ],
    keyColumns: [0],
  },
};
if (state.physicalTables().length === 0) {
  state.transaction(() => {
    state.createTable(spec);
    state.publish(spec);
  });
}
const table = state.openTable(spec);
const checkpointer = openCheckpointer(path, { walBytesMax: 1024 * 1024 });

/** `count` records over three partitions, and one of a topic that is cut; each value tells its append and its place in it. */
function records(position, count) {
  const values = Array.from({ length: count }, (_, i) =>
    Buffer.from(`${position}/${i}/${count}/${'x'.repeat((position * 7 + i) % 900)}`),
  );
  const extents = new Int32Array((count + 1) * extentSize);
  let at = 0;
  values.forEach((value, i) => {
    const compacted = i % 3 === 2;
    extents.set([1, compacted ? 1 : 0, compacted ? 0 : i % 3, 0, at, 1, at, value.length], i * extentSize);
    at += value.length;
  });
  if (count === 0) return new RecordSet({ buffers: [], topics: [], extents, count });
  const whole = Buffer.concat(values);
  extents.set([1, 2, 0, 0, 0, 1, 0, whole.length], count * extentSize);
  return new RecordSet({ buffers: [whole], topics: ['kept', 'compacted', 'short'], extents, count: count + 1 });
}

let position = Number((await log.producerPosition('p')) ?? 0);
for (let commit = 0; ; commit++) {
  const group = Array.from({ length: 1 + (commit % 5) }, () => {
    position++;
    return {
      producer: 'p',
      position: String(position),
      commitTimeUs: position * 1000,
      records: records(position, (position * 13) % 40),
    };
  });
  const reached = { logId: log.logId, seq: 0, commitTimeUs: 0, commitTimesUs: {}, positions: {} };
  state.transaction(() => {
    const written = log.write(group);
    for (const { seq, position: text } of written) {
      const key = [Number(text) % 50];
      const before = table.get(key);
      const after = [key[0], Number(text)];
      table.put(after, 1, before);
      state.feed('counts', { seq, index: 0, before: before ?? null, after, rowtimeMs: 1, commitTimeUs: 1 });
    }
    const last = written.at(-1);
    Object.assign(reached, { seq: last.seq, commitTimeUs: last.commitTimeUs, positions: { p: last.position } });
  }, reached);
  writeSync(1, `${reached.positions.p}\n`);
  if (commit % 3 === 0) for (const chore of log.chores) if (chore.debt(Date.now()) > 0) chore.step(Date.now());
  if (commit % 11 === 0) checkpointer.step();
  if (commit % 13 === 0) state.pruneFeed({ ms: 1e9, bytes: 200_000 }, Date.now());
}
