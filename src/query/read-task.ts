// Reads that may take long, as tasks for a reader thread: plain data in, ready text out. Each task opens one cut, prints all rows
// within a bound, and closes the cut before anybody sends a byte: a slow client must not keep the write-ahead log from shrinking.
import { AppError } from '../core/errors.js';
import type { Frontier, ReadSession, StateReader } from '../store/state-store.js';
import { parseKeyText } from './key-text.js';
import { rowPrinter } from './printers.js';
import { runPull, type PullResult } from './pull.js';
import type { NumberStyle, ReadRequest } from './query-facade.js';

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

export interface ReadLimits {
  /** Bytes of printed rows that one task may hold. */
  readonly resultBytesMax: number;
  readonly deadlineMs: number;
}

export type ReadAnswer =
  | { readonly kind: 'read'; readonly json: string; readonly frontier: Frontier }
  | { readonly kind: 'pull'; readonly result: PullResult; readonly frontier: Frontier };

export function runReadTask(reader: StateReader, task: ReadTask, limits: ReadLimits): ReadAnswer {
  const session = reader.session();
  const budget = new ReadBudget(limits);
  try {
    const { frontier } = session;
    if (task.kind === 'pull') return { kind: 'pull', result: runPull(session, task, budget), frontier };
    return { kind: 'read', json: readAll(session, task.reads, task.numbers, budget), frontier };
  } finally {
    session.close();
  }
}

function readAll(
  session: ReadSession,
  reads: readonly ReadRequest[],
  numbers: NumberStyle,
  budget: ReadBudget,
): string {
  return `{"results":[${reads.map((read) => `{"rows":[${readOne(session, read, numbers, budget).join(',')}]}`).join(',')}]}`;
}

function readOne(
  session: ReadSession,
  { table, key, limit, after }: ReadRequest,
  numbers: NumberStyle,
  budget: ReadBudget,
): readonly string[] {
  const { spec } = session.table(table);
  const print = rowPrinter(spec.schema, numbers);
  if (key !== undefined) {
    const found = session.get(spec.name, parseKeyText(key, spec.schema, spec.name));
    return found ? [print(found.row)] : [];
  }
  const rows: string[] = [];
  if (limit === 0) return rows;
  for (const { row } of session.scan({
    table: spec.name,
    after: after === undefined ? undefined : parseKeyText(after, spec.schema, spec.name),
  })) {
    const text = print(row);
    budget.take(text.length);
    rows.push(text);
    if (rows.length === limit) break;
  }
  return rows;
}

/** Bytes and time that a task has left; checked per row. */
export class ReadBudget {
  readonly #limits: ReadLimits;
  readonly #endMs: number;
  #bytes = 0;
  #rows = 0;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
    this.#endMs = performance.now() + limits.deadlineMs;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.resultBytesMax) {
      throw new AppError(
        'result-too-large',
        `the answer is over ${Math.round(this.#limits.resultBytesMax / 1048576)} MB`,
        {
          hint: 'narrow it, or read page by page: limit and after',
        },
      );
    }
    this.look();
  }

  /** Also for rows that are read and not answered. */
  look(): void {
    if ((++this.#rows & 255) === 0 && performance.now() > this.#endMs) {
      throw new AppError('read-timeout', `the read did not finish within ${this.#limits.deadlineMs} ms`, {
        hint: 'pin the key, or use LIMIT',
        retriable: true,
      });
    }
  }
}
