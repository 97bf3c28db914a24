// Rows that follow those of other tables by foreign keys which the server executes inside its engine, unlogged: here is known which tables
// are concerned, what the open transaction has done to them, and which events something follows from. What follows is done by
// cascade-rows.ts. Lives as long as the task, across reconnects.
import type { AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { SourceTable } from '../../core/row-encoder.js';
import { splitName } from '../../core/table-name.js';
import type { SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import { CascadeRows, type CascadeRun, type CascadeStep, type CascadeTable } from './cascade-rows.js';
import {
  keyChangeOf,
  namesBesideIndexes,
  sameKey,
  type ForeignKey,
  type KeyChange,
  type TableRef,
} from './foreign-keys.js';
import type { KeyEquality } from './key-equality.js';
import { keyTextOf } from '../key-text.js';
import { canFollow, hasColumns, lookupOf, parseKeys, placesOf, printKeys, type LinkedKey } from './linked-keys.js';
import { OwnChanges, type FollowingTable } from './own-changes.js';
import { rowImages } from './row-images.js';
import { firstImage, withoutForeignKeys, type RowsTable } from './rows-event.js';
import type { StatementEffect } from './table-knowledge.js';
import { tableName } from './table-schema.js';

export interface CascadesOptions {
  readonly captured: CapturedTables;
  readonly context: SourceContext;
  readonly logger: Logger;
}

/** What a statement does to keys: these tables (folded) are no more; of those that are named, the keys are looked up on the server, too. */
export interface KeysBehind {
  readonly gone: readonly string[];
  readonly change: KeyChange | undefined;
  readonly named: readonly TableRef[];
}

/** The keys from some place of the stream on. */
export interface FollowedKeys {
  readonly linked: readonly LinkedKey[];
  /** That change no row, as their tables stand. */
  readonly resting: readonly ForeignKey[];
  /** Tables (folded) that cannot be captured because of a key. */
  readonly refused: ReadonlyMap<string, AppError>;
}

export class Cascades {
  readonly #options: CascadesOptions;
  #keys: readonly LinkedKey[] = [];
  #resting: readonly ForeignKey[] = [];
  refused: ReadonlyMap<string, AppError> = new Map();
  /** By folded name. */
  readonly #ofParent = new Map<string, LinkedKey[]>();
  readonly #ofChild = new Map<string, LinkedKey[]>();
  /** Lasting for as long as the keys are the same. */
  readonly #numbers = new Map<LinkedKey, number>();
  readonly #following = new WeakMap<SourceTable, FollowingTable>();
  /** Tables of which nothing has come yet, by folded name. */
  readonly #unopened = new Map<string, CascadeTable>();
  readonly #equalities = new Map<LinkedKey, KeyEquality>();
  readonly #changes = new OwnChanges();
  /** All that was handed over before the open transaction is applied. */
  #settled = false;
  /** Keys are followed, if there are any: the server does not log what they do, and it is not to be ignored. */
  active = false;
  /** The keys are known; from then on statements change them. */
  begun = false;
  /** The open transaction went back to a savepoint: what it has done itself is not known any more. */
  takenBack = false;
  /** Rows that followed in the open transaction. */
  rows = 0;

  constructor(options: CascadesOptions) {
    this.#options = options;
  }

  get keys(): readonly LinkedKey[] {
    return this.#keys;
  }

  /** That change no row only because an index is missing. */
  get inert(): readonly ForeignKey[] {
    return this.#resting.filter(({ inert }) => inert === true);
  }

  /** Folded names of the tables whose rows follow others, or are followed. */
  get tables(): ReadonlySet<string> {
    return new Set([...this.#ofParent.keys(), ...this.#ofChild.keys()]);
  }

  /** What earlier runs followed at their end, and the server may not have any more: it did, at the place where we go on. */
  async remembered(): Promise<readonly ForeignKey[]> {
    return parseKeys(await this.#options.context.heldRows.notes());
  }

  /** These are followed from here on. */
  async follow({ linked: keys, resting, refused }: FollowedKeys): Promise<void> {
    this.begun = true;
    this.#keys = keys;
    this.#resting = resting;
    this.refused = refused;
    this.#ofParent.clear();
    this.#ofChild.clear();
    this.#numbers.clear();
    this.#equalities.clear();
    keys.forEach((key, number) => {
      this.#numbers.set(key, number);
      add(this.#ofParent, this.#name(key.parent), key);
      add(this.#ofChild, this.#name(key.child), key);
    });
    await this.declare();
  }

  /** Again when tables have been opened: what they are found by is best kept from their first row on. */
  declare(): Promise<void> {
    return this.#options.context.heldRows.declare(
      this.#keys.filter(({ broken }) => !broken).map(lookupOf),
      printKeys([...this.#keys, ...this.inert]),
    );
  }

  /** What a statement does to keys that are followed, or to be followed. */
  changeOf(effect: StatementEffect | undefined, sql: string, database: string): KeysBehind | undefined {
    if (!this.active) return undefined;
    const { filter } = this.#options.captured;
    const all = [...this.#keys, ...this.#resting];
    const databases = effect?.emptied.databases ?? [];
    const ended = new Set(effect?.ended);
    const isGone = (name: string): boolean => ended.has(name) || databases.includes(splitName(name).database);
    const concerned = all.flatMap(({ child, parent }) => [this.#name(child), this.#name(parent)]);
    const gone = [...new Set(concerned)].filter(isGone);
    const changed = effect?.changed.map(({ name }) => name) ?? [];
    const change = keyChangeOf(sql, database);
    const concerns =
      change !== undefined &&
      filter.matches(change.table.database, change.table.table) &&
      (change.refers || (change.dropped.length > 0 && all.some(({ child }) => this.#isSame(child, change.table))));
    const parents = new Set([...gone, ...changed]);
    const indexed = all.length === 0 ? undefined : namesBesideIndexes(sql);
    const hasName = ({ table }: TableRef): boolean => indexed?.has(table.toLowerCase()) === true;
    const named = [
      ...changed.map(splitName),
      ...(concerns ? [change.table] : []),
      ...all.filter(({ parent }) => parents.has(this.#name(parent))).map(({ child }) => child),
      ...all.filter(({ child, parent }) => hasName(child) || hasName(parent)).map(({ child }) => child),
    ];
    if (gone.length === 0 && named.length === 0) return undefined;
    const byName = new Map(named.map((table) => [this.#name(table), table]));
    return { gone, change: concerns ? change : undefined, named: [...byName.values()] };
  }

  /**
   * The keys behind a statement: those from before, less what it takes, with what it brings and what the server has now. A key that the
   * server has now but did not have at that place does no harm: rows that it would have changed are gone before it can be made.
   */
  behind({ gone, change }: KeysBehind, now: readonly ForeignKey[]): ForeignKey[] {
    const isOther = (one: ForeignKey, key: ForeignKey): boolean =>
      one.name === key.name &&
      this.#isSame(one.child, key.child) &&
      (one.columns.join() !== key.columns.join() || one.parentColumns.join() !== key.parentColumns.join());
    const kept: ForeignKey[] = [...this.#keys, ...this.#resting].filter((key) => {
      if (gone.includes(this.#name(key.child)) || gone.includes(this.#name(key.parent))) return false;
      if (key.name === undefined) return true;
      const isDropped = change?.dropped.includes(key.name) === true && this.#isSame(key.child, change.table);
      return !isDropped && !now.some((one) => isOther(one, key));
    });
    for (const key of [...now, ...(change?.added ?? [])])
      if (!kept.some((other) => sameKey(other, key))) kept.push(key);
    return kept;
  }

  #isSame(one: TableRef, other: TableRef): boolean {
    return this.#name(one) === this.#name(other);
  }

  /** Folded names of all tables whose rows follow those of this one, directly or not. */
  below(name: string): Set<string> {
    const found = new Set<string>();
    const add = (parent: string): void => {
      for (const { child } of this.#ofParent.get(parent) ?? []) {
        const each = this.#name(child);
        if (found.has(each)) continue;
        found.add(each);
        add(each);
      }
    };
    add(name);
    return found;
  }

  // What the reader tells of each transaction.

  /** True: rows follow from this event, and `rowsOf` has to hand it over. */
  takes(event: Buffer, table: RowsTable): boolean {
    if (this.#keys.length === 0) return false;
    const name = this.#options.captured.known.fold(table.open.name);
    const isTaken = this.#isFollowed(name, event, table);
    if (!isTaken && this.#ofChild.has(name)) this.#changes.note(event, table, this.#followingOf(table.open.source));
    return isTaken;
  }

  #isFollowed(name: string, event: Buffer, table: RowsTable): boolean {
    const keys = this.#ofParent.get(name);
    if (keys === undefined || withoutForeignKeys(event)) return false;
    const { change } = firstImage(event, table);
    if (change === 'insert') return false;
    if (change === 'delete') return keys.some(({ onDelete }) => onDelete !== 'none');
    const followed = keys.filter(({ onUpdate }) => onUpdate !== 'none');
    if (followed.length === 0) return false;
    const { columns } = table.open.source;
    if (followed.some((key) => !canFollow(key, columns))) return true;
    const places = [...new Set(followed.flatMap((key) => placesOf(columns, key.parentColumns, table.open.name)))];
    const types = places.map((i) => columns[i]!.type);
    for (const { before, after } of rowImages(event, table)) {
      const text = (row: readonly unknown[]) =>
        keyTextOf(
          types,
          places.map((i) => row[i] as never),
        );
      if (text(before!) !== text(after!)) return true;
    }
    return false;
  }

  /** Hands the event's rows over with those that follow from them; each step says what has to be done before it goes on. */
  rowsOf(event: Buffer, table: RowsTable, run: CascadeRun): AsyncGenerator<CascadeStep> {
    const { captured, context } = this.#options;
    const rows = new CascadeRows({
      captured,
      held: context.heldRows,
      changes: this.#changes,
      keysOf: (name) => this.#ofParent.get(name) ?? [],
      numberOf: (key) => this.#numbers.get(key)!,
      below: (name) => this.below(name),
      followingOf: (source) => this.#followingOf(source),
      unopened: this.#unopened,
      equalities: this.#equalities,
      follows: (name) => this.#ofChild.has(name),
      isTakenBack: () => this.takenBack,
      isSettled: () => this.#settled,
      settle: async () => {
        await context.heldRows.settled();
        this.#settled = true;
      },
      followed: (count) => (this.rows += count),
      ...run,
    });
    return rows.of(event, table);
  }

  /** The open transaction has ended, or another begins. */
  end(): void {
    if (this.rows > 0) this.#options.logger.debug('rows followed by foreign keys', { rows: this.rows });
    this.rows = 0;
    this.#settled = this.takenBack = false;
    this.#changes.clear();
  }

  close(): void {
    this.#changes.close();
  }

  #name(table: TableRef): string {
    return this.#options.captured.known.fold(tableName(table));
  }

  #followingOf(source: SourceTable): FollowingTable {
    const name = this.#name(source);
    const all = this.#ofChild.get(name) ?? [];
    const keys = all.filter((key) => !key.broken && hasColumns(source.columns, key.columns));
    const known = this.#following.get(source);
    if (known !== undefined && known.keys.length === keys.length && known.keys.every(({ key }, i) => key === keys[i]))
      return known;
    const { columns, keyColumns } = source;
    const following: FollowingTable = {
      name,
      columns,
      keyColumns,
      keys: keys.map((key) => ({
        number: this.#numbers.get(key)!,
        key,
        columns: placesOf(columns, key.columns, name),
      })),
    };
    this.#following.set(source, following);
    return following;
  }
}

function add<T>(map: Map<string, T[]>, name: string, value: T): void {
  const list = map.get(name);
  if (list) list.push(value);
  else map.set(name, [value]);
}
