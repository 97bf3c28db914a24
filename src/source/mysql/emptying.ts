// What a statement takes away whole, of which the binlog names no row: the rows that were captured of those tables are deleted one by one,
// as if the statement had done so, in the append of the statement itself. Chunks are filled as far as there is room.
import type { Row, RowSchema } from '../../core/data-type.js';
import type { RowEncoder } from '../../core/row-encoder.js';
import { splitName } from '../../core/table-name.js';
import { deleteRow, heldSource } from '../held-deletes.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import type { Emptied } from './table-knowledge.js';

export interface EmptyingOptions {
  readonly captured: CapturedTables;
  readonly what: Emptied;
  readonly context: Pick<SourceContext, 'heldTables' | 'logger'>;
  /** Of the first rows, which were handed over before the connection broke. */
  readonly passOver: number;
}

interface Source {
  readonly encoder: RowEncoder;
  readonly schema: RowSchema;
  readonly pages: AsyncIterator<readonly Row[]>;
}

export class Emptying {
  readonly #options: EmptyingOptions;
  /** Deleted, with those that are passed over. */
  rows = 0;
  done = false;
  #left: HeldTable[] | undefined;
  #source: Source | undefined;
  #page: readonly Row[] = [];
  #at = 0;

  constructor(options: EmptyingOptions) {
    this.#options = options;
  }

  /** Deletes as long as there is room. */
  async fill(hasRoom: () => boolean): Promise<void> {
    this.#left ??= await this.#concerned();
    while (!this.done && hasRoom()) {
      if (this.#at < this.#page.length) this.#delete(this.#source!, this.#page[this.#at++]!);
      else await this.#turn();
    }
  }

  async #concerned(): Promise<HeldTable[]> {
    const { captured, what, context } = this.#options;
    const names = new Set(what.tables);
    const isConcerned = (name: string): boolean => names.has(name) || what.databases.includes(splitName(name).database);
    // One that stands still is read again as it is by then, behind the statement.
    const isLeftOut = (name: string): boolean => captured.known.isLeftOut(captured.known.fold(name));
    const held = (await context.heldTables()).filter(
      ({ name }) => isConcerned(captured.known.fold(name)) && !isLeftOut(name),
    );
    return held.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** To the next page, or the next table. */
  async #turn(): Promise<void> {
    if (this.#source !== undefined) {
      const { value, done } = await this.#source.pages.next();
      this.#at = 0;
      this.#page = done === true ? [] : value;
      if (done === true) this.#source = undefined;
      return;
    }
    const next = this.#left!.shift();
    if (next === undefined) {
      this.done = true;
      return;
    }
    const held = await next.read();
    if (held === undefined) return this.#leave(next);
    const encoder = await this.#options.captured.encoderOf(heldSource(next.name, held.schema));
    this.#source = { encoder, schema: held.schema, pages: held.pages[Symbol.asyncIterator]() };
  }

  /** It stands still, and is read again before it goes on; or its topic was filled by an earlier version, which did not note how it is read. */
  #leave({ name }: HeldTable): void {
    this.#options.context.logger.warn(
      'a statement takes all rows of a table away, and which were captured is not known',
      {
        code: 'emptied-unknown',
        table: name,
      },
    );
  }

  #delete({ encoder, schema }: Source, row: Row): void {
    if (this.rows++ >= this.#options.passOver) deleteRow(encoder, schema, row);
  }
}
