// Tables that somebody asks to have read again: the questions wait here, over lost connections too, until a run can call for the tables
// between two transactions, and are answered when the call is durable, as a part of the position. From then on it is like any other.
import { AppError, toAppError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import { wholeName } from '../../core/pattern-list.js';
import type { Pattern } from '../../core/pattern.js';
import { splitName } from '../../core/table-name.js';
import type { SnapshotRequest, SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import { quoteName } from './text-reader.js';
import type { Session } from './connection.js';
import { checkCondition } from './row-condition.js';
import type { TableCall } from './snapshot-calls.js';
import { listTables, tableName } from './table-schema.js';
import { tableRefusal } from './unreadable.js';

interface Asked {
  readonly request: SnapshotRequest;
  readonly answer: (tables: readonly string[]) => void;
  readonly refuse: (error: AppError) => void;
  /** Once they are called for: `database.table`. */
  called?: readonly string[];
}

export interface ServingRun {
  readonly session: Session;
  readonly captured: CapturedTables;
  readonly context: SourceContext;
  readonly call: (calls: readonly TableCall[]) => void;
}

/** A source that does not answer keeps whoever asks waiting no longer than that. */
const waitMs = 30_000;

export class AskedSnapshots {
  #asked: readonly Asked[] = [];
  /** Called when somebody asks. */
  wake: () => void = () => {};

  ask(request: SnapshotRequest): Promise<readonly string[]> {
    return new Promise((resolve, reject) => this.#add(request, resolve, reject));
  }

  #add(
    request: SnapshotRequest,
    resolve: (tables: readonly string[]) => void,
    reject: (error: AppError) => void,
  ): void {
    const timer = setTimeout(() => {
      const late = 'the source has not been reached in time, so nothing is read again';
      asked.refuse(new AppError('source-unreachable', late, { retriable: true }));
    }, waitMs);
    const settled = (): void => {
      clearTimeout(timer);
      this.#asked = this.#asked.filter((each) => each !== asked);
    };
    const asked: Asked = {
      request,
      answer: (tables) => {
        settled();
        resolve(tables);
      },
      refuse: (error) => {
        settled();
        reject(error);
      },
    };
    this.#asked = [...this.#asked, asked];
    this.wake();
  }

  get waits(): boolean {
    return this.#asked.length > 0;
  }

  /** Between two transactions, when everything that was encoded is handed over: calls for tables, or answers where they are called for. */
  async serve(run: ServingRun): Promise<void> {
    // What was called for before is handed over by now.
    const called = this.#asked.filter((asked) => asked.called !== undefined);
    if (called.length > 0) await run.context.heldRows.settled();
    for (const { answer, called: tables } of called) answer(tables!);
    for (const asked of this.#asked) {
      try {
        const names = await this.#names(asked.request, run);
        const { known } = run.captured;
        const { where } = asked.request;
        const calls = names.map((name) => ({ name: known.fold(name), cause: causeOf(where), where }));
        asked.called = names;
        run.call(calls.map((call): TableCall => ({ ...call, asked: true })));
      } catch (error) {
        const told = toAppError(error);
        if (told.retriable) throw told;
        asked.refuse(told);
      }
    }
  }

  /** Of tables that the connector may read; rejects where one is none, or the condition does not fit it. */
  async #names({ tables, where }: SnapshotRequest, { session, captured, context }: ServingRun): Promise<string[]> {
    if (where !== undefined) checkCondition(where);
    const { known } = captured;
    const held = (await context.heldTables()).map(({ name }) => name);
    const there = (await listTables(session)).map((table) => tableName(table));
    const all = [...new Set([...held, ...there].filter((name) => known.matches(known.fold(name))))];
    const wanted = tables.length === 0 ? all : [...new Set(tables.flatMap((text) => matching(text, all, captured)))];
    if (wanted.length === 0)
      throw new AppError('unknown-table', 'the connector has no tables', { hint: 'its filters match none' });
    if (where !== undefined)
      for (const name of wanted.filter((each) => there.includes(each))) await assertFits(session, name, where);
    return wanted.toSorted();
  }

  close(): void {
    for (const { refuse } of this.#asked)
      refuse(new AppError('not-ready', 'the connector stops, and reads nothing again', { retriable: true }));
  }
}

function causeOf(where: string | undefined): string {
  return where === undefined ? 'it was asked for' : `rows were asked for: ${where}`;
}

/** `database.table`, a table alone where that is one, or a regular expression over whole names, as in Debezium's signals. */
function matching(text: string, all: readonly string[], { known }: CapturedTables): readonly string[] {
  const wanted = known.fold(text);
  const exact = all.filter((name) => known.fold(name) === wanted || known.fold(splitName(name).table) === wanted);
  if (exact.length === 1) return exact;
  if (exact.length > 1)
    throw new AppError('bad-request', `"${text}" is more than one table`, { hint: `name one of ${exact.join(', ')}` });
  const found = all.filter((name) => patternOf(text)?.test(name));
  if (found.length > 0) return found;
  throw new AppError('unknown-table', `the connector reads no table ${text}`, {
    hint: didYouMean(text, [...all, ...all.map((name) => splitName(name).table)]) ?? 'its filters decide which',
  });
}

function patternOf(text: string): Pattern | undefined {
  try {
    return wholeName(text);
  } catch {
    return undefined; // no expression: then it is a name that is not there
  }
}

async function assertFits(session: Session, name: string, where: string): Promise<void> {
  const { database, table } = splitName(name);
  try {
    await session.query(
      `SELECT 1 FROM ${quoteName(database)}.${quoteName(table)} WHERE (${where}) LIMIT 0`,
      `looking at a condition on ${name}`,
    );
  } catch (error) {
    const refusal = tableRefusal(error, name);
    const { message, retriable, cause } = toAppError(error);
    if (refusal || retriable) throw refusal ?? error;
    throw new AppError(
      'bad-request',
      `the condition does not fit ${name}: ${cause instanceof Error ? cause.message : message}`,
      {
        hint: 'write it as behind WHERE, over columns of the table, such as id >= 100',
        cause: error,
      },
    );
  }
}
