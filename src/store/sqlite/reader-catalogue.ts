// Tables by name as readers look them up, for one version of the catalogue; shared by all cuts that have that version.
import { AppError } from '../../core/errors.js';
import { nameKey } from '../../core/names.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { CataloguedTable } from './table-catalogue.js';

export class ReaderCatalogue {
  readonly version: number;
  readonly tables: readonly CataloguedTable[];
  /** By name as written, then by the key of the name. */
  readonly #byName = new Map<string, CataloguedTable>();

  constructor(version: number, tables: readonly CataloguedTable[]) {
    this.version = version;
    this.tables = tables;
    for (const table of tables) {
      for (const name of [table.spec.name, folded(table.spec.name)]) {
        const known = this.#byName.get(name);
        // A version that is being built has the name of the one that is read; of two hidden ones the later counts.
        if (known === undefined || !known.visible) this.#byName.set(name, table);
      }
    }
    // Of tables that differ by letter case at the source only one has its name here: the other's must not lead to the rows of that.
    for (const table of tables) {
      const { alias } = table.spec;
      if (alias !== undefined && this.#byName.get(alias)?.visible !== true) this.#byName.set(alias, table);
    }
  }

  /** One per name: the readable version where there is one. */
  names(): readonly CataloguedTable[] {
    return this.tables.filter((table) => this.#byName.get(table.spec.name) === table);
  }

  /** The readable table of this name, without regard to case where no other is written exactly so. */
  get(name: string): CataloguedTable {
    const found = this.#byName.get(name) ?? this.#byName.get(folded(name));
    if (found === undefined) {
      throw new AppError('unknown-table', `there is no table "${name}"`, {
        hint: didYouMean(
          name,
          this.tables.map(({ spec }) => spec.name),
        ),
      });
    }
    if (!found.visible && found.stopped !== undefined) {
      throw new AppError('detached', `table "${found.spec.name}" stands still since before it was complete`, {
        hint: 'the status says why: rebuild it, or drop it and create it again',
      });
    }
    if (!found.visible) {
      throw new AppError(
        'snapshotting',
        `table "${found.spec.name}" is not complete yet: its first snapshot is running`,
        {
          hint: 'its progress is in the status',
          retriable: true,
          subject: found.spec.name,
        },
      );
    }
    return found;
  }
}

/** The key of the name behind a character that no name begins with, so that it never meets a name as written. */
function folded(name: string): string {
  return `\u0000${nameKey(name)}`;
}
