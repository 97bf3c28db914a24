// One rows event of a table that others refer to, handed over with what the server did to the rows that refer to its rows: they are
// deleted, lose the reference or get the new values, and so on with those that refer to them, in the append of the event and right
// behind its rows. They are found in what is held (the state before the transaction, since all that was handed over before is applied)
// and in what the transaction has done itself so far. Everything is taken page by page, so neither the number of rows that are deleted
// nor of those that follow is a matter of memory. The order is a function of the event and the rows, so that a reader that has to begin
// again after a lost connection passes the same rows over.
import type { Row } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';
import { writeValue } from '../../schema/formats/write-value.js';
import type { HeldFound, HeldPlace, HeldRows, HeldSearch } from '../source-connector.js';
import type { Session } from './connection.js';
import type { CapturedTables } from './captured-tables.js';
import { heldSource } from '../held-deletes.js';
import type { KeyAction } from './foreign-keys.js';
import { KeyEquality, searchKey } from './key-equality.js';
import { keyTextOf } from '../key-text.js';
import { canFollow, fitsChild, hasColumns, lookupOf, placesOf, type LinkedKey } from './linked-keys.js';
import { hasOddText, type FollowingTable, type OwnChanges, type OwnSearch } from './own-changes.js';
import { rowImages } from './row-images.js';
import type { RowsTable } from './rows-event.js';
import { tableName } from './table-schema.js';

/** `full`: the chunk has to go out. `settle`: it has to, since what is in it will be asked for. */
export type CascadeStep = 'full' | 'settle';

/** What a run gives for the time of one event. */
export interface CascadeRun {
  readonly hasRoom: () => boolean;
  /** Of the first rows, which were handed over before the connection broke. */
  readonly passOver: number;
  /** So many more rows are there, those that are passed over counted. */
  readonly counted: (rows: number) => void;
  readonly session: () => Session;
  /** Rows of this table (folded) follow others now; `below` follow it. */
  readonly meets: (name: string, below: Iterable<string>) => void;
  /** Which rows of these follow cannot be told. */
  readonly readAgain: (names: Iterable<string>) => void;
  /** It is, or is being, read again. */
  readonly isCalled: (name: string) => boolean;
}

/** A table whose rows are written here. */
export interface CascadeTable {
  /** Folded. */
  readonly name: string;
  readonly source: SourceTable;
  readonly encoder: RowEncoder;
}

export interface CascadeRowsEnv extends CascadeRun {
  readonly captured: CapturedTables;
  readonly held: HeldRows;
  readonly changes: OwnChanges;
  /** By folded name: the keys by which rows of others follow. */
  readonly keysOf: (parent: string) => readonly LinkedKey[];
  readonly below: (name: string) => Set<string>;
  readonly numberOf: (key: LinkedKey) => number;
  readonly followingOf: (source: SourceTable) => FollowingTable;
  readonly follows: (name: string) => boolean;
  readonly unopened: Map<string, CascadeTable>;
  readonly equalities: Map<LinkedKey, KeyEquality>;
  /** What the open transaction has done itself is not known. */
  readonly isTakenBack: () => boolean;
  readonly isSettled: () => boolean;
  readonly settle: () => Promise<void>;
  readonly followed: (rows: number) => void;
}

/** A row that was changed; `after` null: deleted. */
interface Moved {
  readonly before: Row;
  readonly after: Row | null;
}

/** Values that are referred to no longer. */
interface Question {
  readonly values: Row;
  readonly search: string;
  readonly action: KeyAction;
  /** What refers to them is to refer to these. */
  readonly to: Row | null;
}

interface Hit {
  readonly question: Question;
  readonly row: Row;
}

const rowsAtOnce = 100;
const pageRows = 500;

export class CascadeRows {
  readonly #env: CascadeRowsEnv;
  #passOver: number;

  constructor(env: CascadeRowsEnv) {
    this.#env = env;
    this.#passOver = env.passOver;
  }

  async *of(event: Buffer, { open, decoder }: RowsTable): AsyncGenerator<CascadeStep> {
    const { captured, changes, isSettled, settle } = this.#env;
    const table: CascadeTable = { name: captured.known.fold(open.name), source: open.source, encoder: open.encoder };
    changes.read();
    if (!isSettled()) {
      yield 'settle';
      await settle();
    }
    let some: Moved[] = [];
    for (const { before, after } of rowImages(event, { open, decoder })) {
      some.push({ before: before!, after });
      if (some.length < rowsAtOnce) continue;
      yield* this.#change(table, some);
      some = [];
    }
    yield* this.#change(table, some);
  }

  /** Writes the changes, and then what follows from them. */
  async *#change(table: CascadeTable, moved: readonly Moved[]): AsyncGenerator<CascadeStep> {
    for (const each of moved) {
      this.#write(table, each);
      if (!this.#env.hasRoom()) yield 'full';
    }
    for (const key of this.#env.keysOf(table.name)) {
      const child = this.#env.captured.known.fold(tableName(key.child));
      if (this.#env.captured.known.isLeftOut(child)) continue;
      if (this.#env.isTakenBack() || !canFollow(key, table.source.columns)) {
        if (mayConcern(key, table, moved)) this.#readAgain(child);
        continue;
      }
      const questions = questionsOf(table, key, moved);
      if (questions.length > 0) this.#env.meets(child, this.#env.below(child));
      for (const group of inOrder(table, key, questions)) yield* this.#follow(table, key, group);
    }
  }

  #readAgain(child: string): void {
    this.#env.readAgain([child, ...this.#env.below(child)]);
  }

  async *#follow(parent: CascadeTable, key: LinkedKey, questions: readonly Question[]): AsyncGenerator<CascadeStep> {
    const equality = this.#equalityOf(parent, key);
    for await (const { table, candidates } of this.#candidates(key, questions)) {
      if (!fitsChild(key, table.source.columns, parent.source.columns)) return this.#readAgain(table.name);
      const places = placesOf(table.source.columns, key.columns, table.name);
      const pairs = candidates.map(({ question, row }) => ({
        one: places.map((i) => row[i]!),
        other: question.values,
      }));
      const equal = await equality.equal(pairs, this.#env.session);
      const moved: Moved[] = [];
      const seen = new Set<Row>();
      candidates.forEach(({ question, row }, i) => {
        if (!equal[i] || seen.has(row)) return;
        seen.add(row);
        const after = follow(question, row, places);
        if (after === null || places.some((place) => !sameValue(after[place]!, row[place]!)))
          moved.push({ before: row, after });
      });
      this.#env.followed(moved.length);
      yield* this.#change(table, moved);
    }
  }

  #equalityOf({ source, name }: CascadeTable, key: LinkedKey): KeyEquality {
    const { equalities } = this.#env;
    let equality = equalities.get(key);
    if (equality === undefined) {
      const columns = placesOf(source.columns, key.parentColumns, name).map((i) => source.columns[i]!);
      equalities.set(key, (equality = new KeyEquality(columns, key.rules)));
    }
    return equality;
  }

  /** Rows that may refer to these values, page by page: held ones that the transaction has not changed, and those that it has. */
  async *#candidates(
    key: LinkedKey,
    questions: readonly Question[],
  ): AsyncGenerator<{ readonly table: CascadeTable; readonly candidates: readonly Hit[] }> {
    const own = (wanted: OwnSearch, asked: readonly Question[]) => this.#own(key, wanted, asked);
    for await (const { table, rows } of this.#held(
      key,
      questions.map(({ values }) => values),
    ))
      yield { table, candidates: rows.map(({ value, row }) => ({ question: questions[value]!, row })) };
    for (const question of questions) yield* own({ value: question.search }, [question]);
    if (!key.rules.some((rule) => rule?.asks === true)) return;
    // What is equal to text with more than ASCII in it only the server knows: such text is compared with everything.
    for await (const { table, rows } of this.#held(key, 'odd-text'))
      yield {
        table,
        candidates: all(
          rows.map(({ row }) => row),
          questions,
          key,
          table,
        ),
      };
    yield* own('odd-text', questions);
    const odd = questions.filter(({ values }) => hasOddText(key, values));
    if (odd.length === 0) return;
    for await (const { table, rows } of this.#held(key, 'all'))
      yield {
        table,
        candidates: all(
          rows.map(({ row }) => row),
          odd,
          key,
          table,
        ),
      };
    yield* own('all', odd);
  }

  async *#own(
    key: LinkedKey,
    wanted: OwnSearch,
    asked: readonly Question[],
  ): AsyncGenerator<{ readonly table: CascadeTable; readonly candidates: readonly Hit[] }> {
    const table = await this.#tableOf(key, undefined);
    if (table === undefined || !hasColumns(table.source.columns, key.columns)) return;
    for (const rows of this.#env.changes.find(table.name, this.#env.numberOf(key), wanted))
      yield { table, candidates: all(rows, asked, key, table) };
  }

  async *#held(
    key: LinkedKey,
    values: HeldSearch['values'],
  ): AsyncGenerator<{ readonly table: CascadeTable; readonly rows: HeldFound['rows'] }> {
    const { held, changes, followingOf } = this.#env;
    for (let from: HeldPlace | null = { value: 0, after: null }; from !== null;) {
      const found: HeldFound | 'empty' | 'unknown' | 'other-columns' = await held.find({
        lookup: lookupOf(key),
        values,
        from,
        limit: pageRows,
      });
      if (found === 'empty') return;
      // One that stood still is read again as it is by then.
      if (found === 'unknown' && this.#env.isCalled(this.#env.captured.known.fold(tableName(key.child)))) return;
      if (found === 'unknown') throw unknownRows(key);
      if (found === 'other-columns') return this.#readAgain(this.#env.captured.known.fold(tableName(key.child)));
      from = found.next;
      if (found.rows.length === 0) continue;
      const table = (await this.#tableOf(key, found))!;
      if (!hasColumns(found.schema.columns, columnNames(table)) || !hasColumns(table.source.columns, key.columns))
        return this.#readAgain(table.name);
      const places = placesOf(found.schema.columns, columnNames(table), table.name);
      const rows = found.rows.map(({ value, row }) => ({ value, row: places.map((i) => plain(row[i]!)) }));
      const following = followingOf(table.source);
      yield { table, rows: rows.filter(({ row }) => !changes.has(following, row)) };
    }
  }

  /** Undefined: nothing of it has come yet, and nothing is held. */
  async #tableOf({ child }: LinkedKey, found: HeldFound | undefined): Promise<CascadeTable | undefined> {
    const { captured, unopened } = this.#env;
    const name = captured.known.fold(tableName(child));
    const open = captured.get(child.database, child.table);
    if (open) {
      if (open.encoder.held !== open.encoder) throw otherRecords(tableName(child));
      unopened.delete(name);
      return { name, source: open.source, encoder: open.encoder };
    }
    const known = unopened.get(name);
    if (known !== undefined || found === undefined) return known;
    const source = heldSource(tableName(child), found.schema);
    const table = { name, source, encoder: await captured.encoderOf(source) };
    unopened.set(name, table);
    return table;
  }

  #write(table: CascadeTable, { before, after }: Moved): void {
    const { name, source, encoder } = table;
    const { captured, changes, counted, follows, followingOf } = this.#env;
    const windows = captured.get(source.database, source.table)?.windows ?? [];
    for (const row of windows.length === 0 ? [] : [before, after]) {
      const key = row && keyTextOf(...keyOf(source, row));
      for (const window of windows) if (key !== null) window.add(key);
    }
    if (follows(name)) changes.put(followingOf(source), before, after);
    counted(1);
    if (this.#passOver-- > 0) return;
    const { oldRow } = encoder;
    const write = (values: ValueWriter, columns: Iterable<number>): void => {
      for (const i of columns) writeValue(values, source.columns[i]!.type, before[i]!);
    };
    if (after === null) {
      write(encoder.beginDelete(), oldRow === 'key' ? source.keyColumns : source.columns.keys());
      encoder.endDelete();
      return;
    }
    write(encoder.beginOld(), oldRow === 'whole' ? source.columns.keys() : source.keyColumns);
    encoder.endOld();
    const to = encoder.beginRow('u');
    source.columns.forEach(({ type }, i) => writeValue(to, type, after[i]!));
    encoder.endRow();
  }
}

function columnNames({ source }: CascadeTable): string[] {
  return source.columns.map(({ name }) => name);
}

/** Of a key that cannot be followed: the rows may be such that something does. */
function mayConcern(key: LinkedKey, { source, name }: CascadeTable, moved: readonly Moved[]): boolean {
  if (moved.some(({ after }) => after === null)) return key.onDelete !== 'none';
  if (key.onUpdate === 'none' || !hasColumns(source.columns, key.parentColumns)) return key.onUpdate !== 'none';
  const places = placesOf(source.columns, key.parentColumns, name);
  return moved.some(({ before, after }) => places.some((i) => !sameValue(before[i]!, after![i]!)));
}

function questionsOf(table: CascadeTable, key: LinkedKey, moved: readonly Moved[]): Question[] {
  const places = placesOf(table.source.columns, key.parentColumns, table.name);
  const columns = places.map((i) => table.source.columns[i]!);
  return moved.flatMap(({ before, after }) => {
    const values = places.map((i) => before[i]!);
    const to = after && places.map((i) => after[i]!);
    const action =
      to === null ? key.onDelete : to.every((value, i) => sameValue(value, values[i]!)) ? 'none' : key.onUpdate;
    const search = action === 'none' ? undefined : searchKey(columns, key.rules, values);
    return search === undefined ? [] : [{ values, search, action, to }];
  });
}

/** Together, unless one gives what another takes: then one behind the other, as the server did it. */
function inOrder({ source, name }: CascadeTable, key: LinkedKey, questions: readonly Question[]): Question[][] {
  if (questions.length === 0) return [];
  const columns = placesOf(source.columns, key.parentColumns, name).map((i) => source.columns[i]!);
  const given = new Set(questions.map(({ to }) => to && searchKey(columns, key.rules, to)));
  return questions.some(({ search }) => given.has(search)) ? questions.map((question) => [question]) : [[...questions]];
}

function follow({ action, to }: Question, row: Row, places: readonly number[]): Row | null {
  if (action === 'cascade' && to === null) return null;
  const after = [...row];
  places.forEach((place, i) => (after[place] = action === 'cascade' ? to![i]! : null));
  return after;
}

/** Every row with every question; what refers to nothing is left out. */
function all(rows: readonly Row[], questions: readonly Question[], key: LinkedKey, table: CascadeTable): Hit[] {
  const places = placesOf(table.source.columns, key.columns, table.name);
  const referring = rows.filter((row) => places.every((i) => row[i] !== null));
  return referring.flatMap((row) => questions.map((question) => ({ question, row })));
}

function keyOf({ columns, keyColumns }: SourceTable, row: Row): Parameters<typeof keyTextOf> {
  return [keyColumns.map((i) => columns[i]!.type), keyColumns.map((i) => row[i]!)];
}

function sameValue(a: Row[number], b: Row[number]): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b;
}

/** From another thread a Buffer comes as the array that it is. */
function plain(value: Row[number]): Row[number] {
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value) : value;
}

export function otherRecords(child: string): AppError {
  return new AppError(
    'cascades-not-captured',
    `rows of ${child} follow those of other tables by a foreign key, and its records do not have the values of its columns as they are`,
    { hint: `leave ${child} as it is by transforms and handling modes; or leave it out by table.exclude.list` },
  );
}

function unknownRows({ child, parent }: LinkedKey): AppError {
  return new AppError(
    'cascades-not-captured',
    `rows of ${tableName(child)} follow those of ${tableName(parent)}, and which were captured of it is not known`,
    { hint: `capture ${tableName(child)} to a table that runs, or leave it out by table.exclude.list` },
  );
}
