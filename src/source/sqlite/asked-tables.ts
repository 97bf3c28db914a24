// Tables that somebody asks to have read again: the questions wait here until a run calls for the tables between two polls, and are
// answered when the call is durable, as a part of the position.
import { AppError, toAppError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import { wholeName } from '../../core/pattern-list.js';
import type { Pattern } from '../../core/pattern.js';
import { qualifiedName } from '../../core/table-name.js';
import type { SnapshotRequest } from '../source-connector.js';

interface Asked {
  readonly request: SnapshotRequest;
  readonly answer: (tables: readonly string[]) => void;
  readonly refuse: (error: AppError) => void;
}

/** A file that is not there, or locked, keeps whoever asks waiting no longer than that. */
const waitMs = 30_000;

export class AskedTables {
  readonly #asked = new Set<Asked>();

  ask(request: SnapshotRequest): Promise<readonly string[]> {
    const { promise, resolve, reject } = deferred<readonly string[]>();
    const late = 'the file has not been reached in time, so nothing is read again';
    const timer = setTimeout(() => asked.refuse(new AppError('source-unreachable', late, { retriable: true })), waitMs);
    const end = <T>(settle: (value: T) => void) => {
      return (value: T): void => {
        clearTimeout(timer);
        this.#asked.delete(asked);
        settle(value);
      };
    };
    const asked: Asked = { request, answer: end(resolve), refuse: end(reject) };
    this.#asked.add(asked);
    return promise;
  }

  get waits(): boolean {
    return this.#asked.size > 0;
  }

  /** Calls for the tables that are asked for; gives what answers the questions once that is durable. */
  serve(database: string, tables: readonly string[], call: (table: string) => void): readonly (() => void)[] {
    return [...this.#asked].flatMap(({ request, answer, refuse }) => {
      try {
        const names = namesOf(request, database, tables);
        for (const name of names) call(name);
        return [() => answer(names.map((table) => qualifiedName({ database, table })).toSorted())];
      } catch (error) {
        refuse(toAppError(error));
        return [];
      }
    });
  }

  close(): void {
    for (const { refuse } of this.#asked)
      refuse(new AppError('not-ready', 'the connector stops, and reads nothing again', { retriable: true }));
  }
}

function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: AppError) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: AppError) => void = () => {};
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

function namesOf({ tables, where }: SnapshotRequest, database: string, all: readonly string[]): readonly string[] {
  if (where !== undefined)
    throw new AppError('bad-request', 'a table of an SQLite file is read whole', { hint: 'leave the condition out' });
  if (all.length === 0)
    throw new AppError('unknown-table', 'the connector has no tables', { hint: 'its filters match none' });
  if (tables.length === 0) return all;
  return [...new Set(tables.flatMap((text) => matching(text, database, all)))];
}

/** `database.table`, `main.table`, a table alone, or a regular expression over whole names; case does not count, as in SQLite. */
function matching(text: string, database: string, all: readonly string[]): readonly string[] {
  const forms = (table: string) => [table, `main.${table}`, qualifiedName({ database, table })];
  const exact = all.filter((table) => forms(table).some((form) => form.toLowerCase() === text.toLowerCase()));
  if (exact.length > 0) return exact;
  const found = all.filter((table) => patternOf(text)?.test(qualifiedName({ database, table })));
  if (found.length > 0) return found;
  throw new AppError('unknown-table', `the connector reads no table ${text}`, {
    hint: didYouMean(text, all.flatMap(forms)) ?? 'its filters decide which',
  });
}

function patternOf(text: string): Pattern | undefined {
  try {
    return wholeName(text);
  } catch {
    return undefined; // no expression: then it is a name that is not there
  }
}
