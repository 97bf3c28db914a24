// Reads that may take long, as tasks for a reader thread: plain data in, ready bytes out, in pages. Each task opens one cut, prints all rows
// within a bound, and closes the cut before anybody sends a byte: a slow client must not keep the write-ahead log from shrinking.
import type { Row } from '../core/data-type.js';
import type { ReadSession, StateReader, TableFrontier } from '../store/state-store.js';
import { oldestOf, type ReadTable } from './freshness.js';
import { parseKeyText, printKeyText } from './key-text.js';
import { assertOneVersion } from './one-version.js';
import { etagOf, PageWriter, type WrittenPage } from './page-writer.js';
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
      /** The result of the only read, without the list around it. */
      readonly single?: boolean | undefined;
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
      readonly pages: readonly WrittenPage[];
      readonly etag: string;
      readonly frontier: TableFrontier;
      readonly tables: readonly ReadTable[];
    }
  | {
      readonly kind: 'pull';
      readonly result: PullResult;
      readonly frontier: TableFrontier;
      readonly tables: readonly ReadTable[];
    };

/** The pages of an answer, of whatever kind. */
export function pagesOf(answer: ReadAnswer): readonly WrittenPage[] {
  return answer.kind === 'read' ? answer.pages : answer.result.pages;
}

/** `takeRoom` is asked for the room of each page, and throws overloaded. */
export function runReadTask(
  reader: StateReader,
  task: ReadTask,
  limits: ReadLimits,
  takeRoom?: (bytes: number) => void,
): ReadAnswer {
  const session = reader.session();
  const budget = new ReadBudget(limits, takeRoom);
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
): Omit<ReadAnswer & { readonly kind: 'read' }, 'kind'> {
  if (!task.staleOk)
    assertOneVersion(
      session,
      task.reads.map(({ table }) => table),
    );
  const tables = new Map<number, ReadTable>();
  const writer = new PageWriter(budget.takeRoom);
  const single = task.single === true;
  if (!single) writer.append('{"results":[');
  task.reads.forEach((read, i) => {
    writer.append(i === 0 ? '{"rows":[' : ',{"rows":[');
    const { next, table } = readOne(session, read, task.numbers, { budget, writer });
    writer.append(next === undefined ? ']}' : `],"next":${JSON.stringify(next)}}`);
    tables.set(table.id, table);
  });
  if (!single) writer.append(']}');
  const read = [...tables.values()];
  const frontier = oldestOf(read.map((table) => table.frontier)) ?? session.frontier;
  const pages = writer.finish();
  return { pages, etag: etagOf(pages), frontier, tables: read };
}

interface ReadRows {
  /** Key text to go on behind, when the limit cut the answer short. */
  readonly next?: string;
  readonly table: ReadTable;
}

function readOne(
  session: ReadSession,
  { table: wanted, key, limit, after }: ReadRequest,
  numbers: NumberStyle,
  { budget, writer }: { readonly budget: ReadBudget; readonly writer: PageWriter },
): ReadRows {
  const { spec, frontier } = session.table(wanted);
  const { schema, name } = spec;
  const table: ReadTable = { id: spec.id, frontier };
  const print = rowPrinter(schema, numbers);
  if (key !== undefined) {
    const found = session.get(name, parseKeyText(key, schema, name));
    if (found) budget.take(writer.append(print(found.row)));
    return { table };
  }
  let count = 0;
  let last: Row | undefined;
  for (const { row } of session.scan({
    table: name,
    after: after === undefined ? undefined : parseKeyText(after, schema, name),
  })) {
    if (count === limit) {
      if (last === undefined) return { table };
      const end = last;
      return {
        table,
        next: printKeyText(
          schema.keyColumns.map((i) => end[i]!),
          schema,
        ),
      };
    }
    const text = print(row);
    budget.take(writer.append(count === 0 ? text : `,${text}`));
    count++;
    last = row;
  }
  return { table };
}
