// Runs a source connector the way connect does, with the real encoder (JSON) and chunk builder, and gives its appends as plain
// values. `stop` and a new run behind a position are a restart. Appends are confirmed when the test says so.
import { silentLogger } from '../../src/core/logger.js';
import { opOfCode, extent, extentSize } from '../../src/core/record.js';
import type { AppendEnd, Chunk } from '../../src/core/append.js';
import type { Row, Value } from '../../src/core/data-type.js';
import type { SourceTable } from '../../src/core/row-encoder.js';
import type { HeldTable, SourceClock, SourceConnector, SourceState } from '../../src/source/source-connector.js';
import { createChunkBuilder } from '../../src/schema/formats/chunk-builder.js';
import { createRowEncoder } from '../../src/schema/formats/row-encoder.js';

export interface TestRecord {
  readonly table: string;
  readonly op: string;
  /** JSON text of the key object. */
  readonly key: string;
  /** JSON text of the row; null for a tombstone. */
  readonly value: string | null;
}

export interface TestAppend extends Omit<AppendEnd, 'recordEnd'> {
  readonly records: readonly TestRecord[];
}

export interface SourceRun {
  readonly appends: readonly TestAppend[];
  readonly tables: ReadonlyMap<string, SourceTable>;
  readonly states: readonly SourceState[];
  /** What the source had committed by then was in so many appends. */
  readonly confirmed: readonly { readonly atMs: number; readonly appends: number }[];
  readonly clocks: readonly SourceClock[];
  /** Resolves when the condition holds; rejects when the source fails or the deadline passes. */
  until(condition: (appends: readonly TestAppend[]) => boolean, what?: string): Promise<void>;
  /** Resolves with the error that ended the source. */
  failure(): Promise<unknown>;
  stop(): Promise<void>;
}

export interface SourceRunOptions {
  readonly chunkBytes?: number;
  readonly wantsOldRow?: boolean;
}

export function runSource(
  connector: SourceConnector,
  position: string | null,
  options: SourceRunOptions = {},
): SourceRun {
  const abort = new AbortController();
  const appends: TestAppend[] = [];
  const tables = new Map<string, SourceTable>();
  const states: SourceState[] = [];
  const confirmed: { atMs: number; appends: number }[] = [];
  const clocks: SourceClock[] = [];
  const builder = createChunkBuilder({ chunkBytes: options.chunkBytes ?? 64 * 1024 });
  let open: TestRecord[] = [];
  let failed: { readonly error: unknown } | null = null;
  const waiting = new Set<() => void>();

  const take = (chunk: Chunk) => {
    const records = recordsOf(chunk);
    let at = 0;
    for (const { recordEnd, ...end } of chunk.ends) {
      appends.push({ ...end, records: [...open, ...records.slice(at, recordEnd)] });
      open = [];
      at = recordEnd;
    }
    open.push(...records.slice(at));
    for (const wake of waiting) wake();
  };

  const finished = (async () => {
    try {
      const chunks = connector.chunks(position, {
        logger: silentLogger,
        signal: abort.signal,
        chunks: builder,
        openTable: async (table) => {
          tables.set(table.table, table);
          return createRowEncoder({
            table,
            topic: table.table,
            partitions: 1,
            keyFormat: 'JSON',
            valueFormat: 'JSON',
            keyShape: 'object',
            shape: options.wantsOldRow ? 'flat-with-deleted' : 'flat',
            chunks: builder,
          });
        },
        heldTables: async () => [...tables.values()].map((table) => held(table, appends)),
        reportState: (state) => states.push(state),
        confirm: (atMs) => confirmed.push({ atMs, appends: appends.length }),
        sourceClock: (sourceUs, atMs) => clocks.push({ sourceUs, atMs }),
      });
      for await (const chunk of chunks) take(chunk);
    } catch (error) {
      if (!abort.signal.aborted) failed = { error };
    } finally {
      await connector.close();
      for (const wake of waiting) wake();
    }
  })();

  return {
    appends,
    tables,
    states,
    confirmed,
    clocks,
    until(condition, what = 'the condition') {
      return new Promise((resolve, reject) => {
        const check = () => {
          if (failed) finish(() => reject(failed!.error as Error));
          else if (condition(appends)) finish(resolve);
        };
        const finish = (end: () => void) => {
          clearTimeout(deadline);
          waiting.delete(check);
          end();
        };
        const deadline = setTimeout(() => finish(() => reject(new Error(`${what} did not come`))), 10_000);
        waiting.add(check);
        check();
      });
    },
    async failure() {
      await finished;
      if (!failed) throw new Error('the source has not failed');
      return (failed as { readonly error: unknown }).error;
    },
    async stop() {
      abort.abort();
      await finished;
    },
  };
}

function recordsOf(chunk: Chunk): TestRecord[] {
  const data = Buffer.from(chunk.data.buffer, chunk.data.byteOffset, chunk.data.byteLength);
  return Array.from({ length: chunk.recordCount }, (_, i) => {
    const at = (field: number) => chunk.extents[i * extentSize + field]!;
    const text = (start: number, length: number) => data.toString('utf8', start, start + length);
    const valueLength = at(extent.valueLength);
    return {
      table: chunk.topics[at(extent.topic)]!,
      op: opOfCode[at(extent.op)]!,
      key: text(at(extent.keyStart), at(extent.keyLength)),
      value: valueLength < 0 ? null : text(at(extent.valueStart), valueLength),
    };
  });
}

/** The rows that the records leave per table, as key -> row. */
export function foldAppends(appends: readonly TestAppend[]): Map<string, Map<string, string>> {
  const tables = new Map<string, Map<string, string>>();
  for (const { records } of appends) {
    for (const { table, key, value } of records) {
      let rows = tables.get(table);
      if (!rows) tables.set(table, (rows = new Map()));
      if (value === null) rows.delete(key);
      else rows.set(key, value);
    }
  }
  return tables;
}

/** What a table holds by the appends so far; for keys of plain JSON values. */
function held({ database, table, columns, keyColumns }: SourceTable, appends: readonly TestAppend[]): HeldTable {
  const rows = new Map<string, Row>();
  for (const { key, value } of appends.flatMap(({ records }) => records).filter((record) => record.table === table)) {
    if (value === null) rows.delete(key);
    else {
      const row = JSON.parse(value) as Readonly<Record<string, Value>>;
      rows.set(
        key,
        columns.map(({ name }) => row[name]!),
      );
    }
  }
  async function* pages(): AsyncGenerator<readonly Row[]> {
    if (rows.size > 0) yield [...rows.values()];
  }
  return { name: `${database}.${table}`, read: async () => ({ schema: { columns, keyColumns }, pages: pages() }) };
}
