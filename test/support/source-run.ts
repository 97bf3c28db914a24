// Runs a source connector the way connect does, with the real encoder (JSON) and chunk builder, and gives its appends as plain
// values. `stop` and a new run behind a position are a restart. Appends are confirmed when the test says so.
import { expect } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { sameKey } from '../../src/core/schema-change.js';
import { opOfCode, extent, extentSize } from '../../src/core/record.js';
import type { Chunk } from '../../src/core/append.js';
import type { AppendEnd } from '../../src/core/chunk-ends.js';
import type { ErrorMessage } from '../../src/core/errors.js';
import type { Row, RowSchema, Value } from '../../src/core/data-type.js';
import type { SourceTable } from '../../src/core/row-encoder.js';
import type {
  HeldFound,
  HeldSearch,
  HeldTable,
  SourceClock,
  SourceConnector,
  SourceState,
} from '../../src/source/source-connector.js';
import { createChunkBuilder } from '../../src/schema/formats/chunk-builder.js';
import { createValueDecoder } from '../../src/schema/formats/value-decoder.js';
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
  /** Resolves with why a table stands still: the `n`th time that one does. */
  tableFailure(n?: number): Promise<ErrorMessage>;
  /** So many appends were in the log when the source asked for what is held, or a table of another key was opened, the last time. */
  readonly flushed: number;
  stop(): Promise<void>;
}

export interface SourceRunOptions {
  readonly chunkBytes?: number;
  readonly wantsOldRow?: boolean;
  /** Called when the source asks for its side records: once per connection, behind what it reads before its stream begins. */
  readonly onSideRecords?: () => Promise<void>;
  /** Called when the source reads what is held of a table: before it looks which of these rows are gone. */
  readonly onHeldRead?: (table: string) => Promise<void>;
  /** The run that this one goes on behind: what it has captured is held. */
  readonly after?: Pick<SourceRun, 'appends' | 'tables'>;
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
  let flushed = 0;
  const clocks: SourceClock[] = [];
  const builder = createChunkBuilder({ chunkBytes: options.chunkBytes ?? 64 * 1024 });
  let open: TestRecord[] = [];
  let failed: { readonly error: unknown } | null = null;
  const waiting = new Set<() => void>();
  /** Tables that stand still, as `database.table`. */
  const stopped = new Set<string>();
  const follow = ({ control }: Pick<TestAppend, 'control'>) => {
    if (control?.kind === 'table-failed') stopped.add(control.table);
    if (control?.kind !== 'snapshot-completed') return;
    for (const name of stopped) if (control.topics.some((topic) => name.endsWith(`.${topic}`))) stopped.delete(name);
  };
  for (const append of options.after?.appends ?? []) follow(append);

  const take = (chunk: Chunk) => {
    const records = recordsOf(chunk);
    let at = 0;
    for (const { recordEnd, ...end } of chunk.ends) {
      appends.push({ ...end, records: [...open, ...records.slice(at, recordEnd)] });
      follow(end);
      open = [];
      at = recordEnd;
    }
    open.push(...records.slice(at));
    for (const wake of waiting) wake();
  };

  const all = () => [...(options.after?.appends ?? []), ...appends];
  const known = () => [...new Map([...(options.after?.tables ?? []), ...tables]).values()];

  const finished = (async () => {
    try {
      const chunks = connector.chunks(position, {
        logger: silentLogger,
        signal: abort.signal,
        openSideRecords: async () => {
          await options.onSideRecords?.();
          return {};
        },
        recordsOf: ({ columns, keyColumns }) => ({
          columns: columns.map(({ name, type }) => ({ name, type })),
          keyColumns,
          own: true,
          origins: columns.map((_, column) => ({ column, making: 'keep', keepsNull: true })),
          nameOf: (name) => name,
        }),
        chunks: builder,
        openTable: async (table, { cause } = {}) => {
          if (cause !== undefined) stopped.delete(`${table.database}.${table.table}`);
          const before = known().find((each) => each.table === table.table);
          // As the engine does: rows of another key go, and that is durable with the table's definition.
          if (before && !sameKey(schemaOf(before), schemaOf(table))) {
            appends.push(emptied(before.table, all()));
            flushed = appends.length;
          }
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
        heldTables: async () => {
          flushed = appends.length;
          const { onHeldRead } = options;
          return known().map((table) => {
            const found = held(table, all(), stopped);
            if (onHeldRead === undefined) return found;
            return { ...found, read: () => onHeldRead(table.table).then(() => found.read()) };
          });
        },
        heldRows: {
          declare: async () => {},
          notes: async () => null,
          settled: async () => {},
          find: async (search) => {
            const table = known().find((each) => `${each.database}.${each.table}` === search.lookup.table);
            return table === undefined ? 'empty' : find(table, all(), search);
          },
        },
        comparison: {
          encoderOf: () => expect.fail('nothing is compared here'),
          recordCount: 0,
          compare: async () => 'unknown',
          discard: () => {},
        },
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
    async tableFailure(n = 1) {
      const failures = () =>
        appends.flatMap(({ control }) => (control?.kind === 'table-failed' ? [control.error] : []));
      await this.until(() => failures().length >= n, 'a table that stands still');
      return failures()[n - 1]!;
    },
    get flushed() {
      return flushed;
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

function emptied(table: string, appends: readonly TestAppend[]): TestAppend {
  const keys = foldAppends(appends).get(table)?.keys() ?? [];
  const records = [...keys].map((key): TestRecord => ({ table, op: 'd', key, value: null }));
  return { records, position: appends.at(-1)?.position ?? null, commitTimeUs: 0 };
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

/** The newest rows of a table. */
export function rowsOf(run: SourceRun, table: string): Record<string, unknown>[] {
  const held = foldAppends(run.appends).get(table) ?? new Map<string, string>();
  return Array.from(held.values(), (row) => JSON.parse(row) as Record<string, unknown>);
}

/** Waits until a first reading of tables is over. */
export function completed(run: SourceRun): Promise<void> {
  return run.until((appends) => appends.some(({ control }) => control?.kind === 'snapshot-completed'), 'the snapshot');
}

/** What a table holds by the appends so far; for keys of plain JSON values. */
function held(source: SourceTable, appends: readonly TestAppend[], stopped: ReadonlySet<string>): HeldTable {
  const { database, table } = source;
  const rows = heldRows(source, appends);
  const schema = schemaOf(source);
  async function* pages(): AsyncGenerator<readonly Row[]> {
    if (rows.length > 0) yield rows;
  }
  const name = `${database}.${table}`;
  const read = async () => (stopped.has(name) ? undefined : { schema, pages: pages() });
  return { name, schema, stopped: stopped.has(name), read };
}

function schemaOf({ columns, keyColumns }: SourceTable): RowSchema {
  return { columns: columns.map(({ name, type }) => ({ name, type })), keyColumns };
}

/** For keys and columns of plain JSON values, in the order in which the rows came. */
function find(source: SourceTable, appends: readonly TestAppend[], search: HeldSearch): HeldFound {
  const { columns, keyColumns } = source;
  const { lookup, values, from, limit } = search;
  const places = lookup.columns.map(({ name }) => columns.findIndex((column) => column.name === name));
  const form = (value: Value, i: number) =>
    lookup.columns[i]!.text && typeof value === 'string' ? value.replace(/ +$/, '').toLowerCase() : value;
  const matches = (row: Row, wanted: Row) => places.every((at, i) => form(row[at]!, i) === form(wanted[i]!, i));
  const isOdd = (row: Row) =>
    places.some((at, i) => lookup.columns[i]!.text && /[^ -~]/.test((row[at] ?? '') as string));
  const held = heldRows(source, appends);
  const found =
    typeof values === 'string'
      ? held.filter((row) => values === 'all' || isOdd(row)).map((row) => ({ value: 0, row }))
      : values.flatMap((wanted, value) => held.filter((row) => matches(row, wanted)).map((row) => ({ value, row })));
  const keyOf = (row: Row) => keyColumns.map((i) => row[i]!);
  const behind =
    found.findIndex(
      ({ value, row }) => value === from.value && JSON.stringify(keyOf(row)) === JSON.stringify(from.after),
    ) + 1;
  const rows = found.slice(behind, behind + limit);
  const last = rows.at(-1);
  const next = last && behind + limit < found.length ? { value: last.value, after: keyOf(last.row) } : null;
  return { schema: schemaOf(source), rows, next };
}

function heldRows(source: SourceTable, appends: readonly TestAppend[]): readonly Row[] {
  const { table } = source;
  const decoder = createValueDecoder({
    format: 'JSON',
    schema: schemaOf(source),
    valueColumns: undefined,
    wrapping: 'flat',
    resolve: () => expect.unreachable('JSON has no schema ids'),
  });
  const rows = new Map<string, Row>();
  for (const { key, value } of appends.flatMap(({ records }) => records).filter((record) => record.table === table)) {
    if (value === null) rows.delete(key);
    else {
      const bytes = Buffer.from(value);
      rows.set(key, decoder.decode(bytes, 0, bytes.length)!);
    }
  }
  return [...rows.values()];
}
