// The document of a rebuild: what the next version of a table is derived from.
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import type { BuildDocument } from './build.js';
import { querySources } from './query-sources.js';

export function newRebuild(catalog: Catalog, entry: SourceEntry, version: number, startedMs: number): BuildDocument {
  const query = entry.writtenBy === null ? undefined : catalog.query(entry.writtenBy);
  const sources = query ? [...new Set(querySources(catalog, query))].map((name) => catalog.find(name)!) : [];
  const replay = query === undefined || sources.some((source) => source.sourceKind === 'stream');
  return {
    table: entry.name,
    version,
    purpose: 'rebuild',
    method: replay ? 'replay' : 'scan',
    cursors: replay ? {} : Object.fromEntries(sources.map((source) => [source.name, { last: null, done: false }])),
    replayedSeq: 0,
    caughtUp: false,
    rows: 0,
    startedMs,
  };
}
