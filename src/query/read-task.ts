// Reads that may take long, as tasks for a reader thread: plain data in, ready text out. Each task opens one cut, prints all rows
// within a bound, and closes the cut before anybody sends a byte: a slow client must not keep the write-ahead log from shrinking.
import type { Row } from '../core/data-type.js';
import type { ReadSession, StateReader, TableFrontier } from '../store/state-store.js';
import { oldestOf, type ReadTable } from './freshness.js';
import { parseKeyText, printKeyText } from './key-text.js';
import { assertOneVersion } from './one-version.js';
import { rowPrinter } from './printers.js';
import { runPull, type PullResult } from './pull.js';
import type { NumberStyle, ReadRequest } from './query-facade.js';
import { sourceCacheOf } from './session-catalog.js';
import { ReadBudget, type ReadLimits } from './read-budget.js';

export type ReadTask =
  | {
      readonly kind: 'read';
      readonly reads: readonly ReadRequest[];
      readonly numbers: NumberStyle;
      readonly staleOk: boolean;
    }
  | {
      readonly kind: 'pull';
      readonly sql: string;
      readonly strict: boolean;
      readonly variables: Readonly<Record<string, string>>;
    };

/** `frontier` is what all tables of the answer contain, `tables` what each of them does. */
export type ReadAnswer =
  | {
      readonly kind: 'read';
      readonly json: string;
      readonly frontier: TableFrontier;
      readonly tables: readonly ReadTable[];
    }
  | {
      readonly kind: 'pull';
      readonly result: PullResult;
      readonly frontier: TableFrontier;
      readonly tables: readonly ReadTable[];
    };

export function runReadTask(reader: StateReader, task: ReadTask, limits: ReadLimits): ReadAnswer {
  const session = reader.session();
  const budget = new ReadBudget(limits);
  try {
    if (task.kind === 'pull')
      return { kind: 'pull', ...runPull(session, sourceCacheOf(reader).view(session), task, budget) };
    return { kind: 'read', ...readAll(session, task, budget) };
  } finally {
    session.close();
  }
}

function readAll(
  session: ReadSession,
  task: ReadTask & { readonly kind: 'read' },
  budget: ReadBudget,
): { readonly json: string; readonly frontier: TableFrontier; readonly tables: readonly ReadTable[] } {
  if (!task.staleOk)
    assertOneVersion(
      session,
      task.reads.map(({ table }) => table),
    );
  const tables = new Map<number, ReadTable>();
  const results = task.reads.map((read) => {
    const { rows, next, table } = readOne(session, read, task.numbers, budget);
    tables.set(table.id, table);
    return `{"rows":[${rows.join(',')}]${next === undefined ? '' : `,"next":${JSON.stringify(next)}`}}`;
  });
  const read = [...tables.values()];
  const frontier = oldestOf(read.map((table) => table.frontier)) ?? session.frontier;
  return { json: `{"results":[${results.join(',')}]}`, frontier, tables: read };
}

interface ReadRows {
  readonly rows: readonly string[];
  /** Key text to go on behind, when the limit cut the answer short. */
  readonly next?: string;
  readonly table: ReadTable;
}

function readOne(
  session: ReadSession,
  { table: wanted, key, limit, after }: ReadRequest,
  numbers: NumberStyle,
  budget: ReadBudget,
): ReadRows {
  const { spec, frontier } = session.table(wanted);
  const { schema, name } = spec;
  const table: ReadTable = { id: spec.id, frontier };
  const print = rowPrinter(schema, numbers);
  if (key !== undefined) {
    const found = session.get(name, parseKeyText(key, schema, name));
    return { rows: found ? [print(found.row)] : [], table };
  }
  const rows: string[] = [];
  let last: Row | undefined;
  for (const { row } of session.scan({
    table: name,
    after: after === undefined ? undefined : parseKeyText(after, schema, name),
  })) {
    if (rows.length === limit) {
      if (last === undefined) return { rows, table };
      const end = last;
      return {
        rows,
        table,
        next: printKeyText(
          schema.keyColumns.map((i) => end[i]!),
          schema,
        ),
      };
    }
    const text = print(row);
    budget.take(text.length);
    rows.push(text);
    last = row;
  }
  return { rows, table };
}
