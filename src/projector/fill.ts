// What a step of a build does with rows and records; the caller has the transaction open, and keeps how far it has come.
import type { Append } from '../core/append.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ActiveBuild } from './active-build.js';

/** At most `limit` rows behind the cursors of its source tables go through the build's query; moves the cursors. */
export function scanRows(runtime: Runtime, { query, cursors }: ActiveBuild, limit: number): number {
  let rows = 0;
  for (const [source, cursor] of cursors) {
    if (cursor.done) continue;
    const table = runtime.table(source);
    const wanted = limit - rows;
    const chunk = table.writer.scan(cursor.last, wanted);
    for (const { row, rowtimeMs } of chunk) {
      runtime.context.rowtimeMs = rowtimeMs;
      query!.run(table.name, null, row);
    }
    rows += chunk.length;
    if (chunk.length > 0) cursor.last = table.keyOf(chunk.at(-1)!.row);
    cursor.done = chunk.length < wanted;
    if (rows >= limit) break;
  }
  return rows;
}

/** The records of its topic, again. `at`: the append that what they derive belongs to; undefined: nothing is derived. */
export function replayRecords(
  { context }: Runtime,
  { replay }: ActiveBuild,
  appends: readonly Append[],
  at: Pick<Append, 'seq' | 'commitTimeUs'> | undefined,
): number {
  let rows = 0;
  for (const append of appends) {
    const { records } = append;
    replay!.replayFrom(append.seq);
    context.seq = (at ?? append).seq;
    context.commitTimeUs = (at ?? append).commitTimeUs;
    for (let i = 0; i < records.count; i++) {
      if (records.topic(i) !== replay!.topic) continue;
      context.rowtimeMs = records.timestamps ? records.timestamps[i]! : Math.floor(append.commitTimeUs / 1000);
      replay!.take(records, i);
      rows++;
    }
  }
  replay!.table?.writer.settle();
  return rows;
}
