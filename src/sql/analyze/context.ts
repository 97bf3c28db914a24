// What every part of the analyser needs: the catalogue, the options, and how names compare under them.
import type { Column } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { nameKey, sameName } from '../../core/names.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { Name } from '../ast.js';
import { messages } from '../messages.js';
import type { CatalogView, FormatName, SourceDefinition } from '../plan.js';
import type { Place } from '../sql-error.js';

export interface AnalyzeOptions {
  /** ksqlDB's own rules: unquoted names are upper case, names compare exactly, no extensions. */
  readonly strict: boolean;
  /** The statement is one that was taken before: bounds are for new ones. */
  readonly accepted?: boolean | undefined;
  readonly defaults: {
    readonly keyFormat: FormatName;
    /** Null: a CREATE over a topic has to name it. */
    readonly valueFormat: FormatName | null;
    readonly partitions: number;
  };
}

export class Context {
  readonly catalog: CatalogView;
  readonly options: AnalyzeOptions;
  /** A wide SELECT asks for each of its columns. */
  readonly #places = new Map<readonly Column[], Map<string, number>>();

  constructor(catalog: CatalogView, options: AnalyzeOptions) {
    this.catalog = catalog;
    this.options = options;
  }

  get strict(): boolean {
    return this.options.strict;
  }

  /** True when two names mean the same. */
  same(a: string, b: string): boolean {
    return a === b || (!this.strict && sameName(a, b));
  }

  /** What names have in common that mean the same. */
  nameKey(name: string): string {
    return this.strict ? name : nameKey(name);
  }

  /** The place of the first column of that name; -1: there is none. */
  columnIndex(columns: readonly Column[], name: string): number {
    let places = this.#places.get(columns);
    if (places === undefined) {
      places = new Map();
      for (const [i, column] of columns.entries()) {
        const key = this.nameKey(column.name);
        if (!places.has(key)) places.set(key, i);
      }
      this.#places.set(columns, places);
    }
    return places.get(this.nameKey(name)) ?? -1;
  }

  findSource(name: string): SourceDefinition | undefined {
    const found = this.catalog.find(name);
    if (!this.strict || found === undefined || found.name === name) return found;
    // In strict mode `input` and INPUT are two names.
    return this.catalog.all().find((source) => source.name === name);
  }

  /** The stream or table, or `unknown-table` with the nearest name. */
  source(name: Name): SourceDefinition {
    const found = this.findSource(name.text);
    if (found !== undefined) return found;
    throw unknownSource(messages.missingSource(name.text), name, this);
  }
}

export function unknownSource(message: string, name: Name, context: Context): AppError {
  const other = context.catalog.find(name.text);
  // Only in strict mode can a name be there in another case.
  if (other !== undefined) message += messages.otherCase(other.name, name.quoted);
  const hint = didYouMean(
    name.text,
    context.catalog.all().map((source) => source.name),
  );
  return new AppError('unknown-table', message, { hint, place: placeOf(name.place) });
}

function placeOf(place: Place): Place {
  return { line: place.line, column: place.column };
}
