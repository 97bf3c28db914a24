// ROWTIME out of a column, where WITH (TIMESTAMP=...) names one: ms as BIGINT, a TIMESTAMP, or a text and the pattern that it is written
// by. The rule is ksqlDB's. A row whose column is NULL, does not fit the pattern or gives a time before 1970 has no timestamp: it is
// left out and told, or, of a source that is declared so, stops it. A delete has no such column: it keeps the time of what made it.
import type { SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { assert } from '../core/errors.js';
import type { Row, Value } from '../core/data-type.js';
import { createTimeParser } from '../sql/functions/time-pattern-parse.js';

export class RowTimestamp {
  readonly #at: number;
  readonly #column: string;
  readonly #msOf: (value: Value) => number | null;

  constructor({ schema, properties }: SourceEntry, column: string) {
    this.#at = schema.columns.findIndex(({ name }) => nameKey(name) === nameKey(column));
    const found = schema.columns[this.#at];
    assert(found, `the TIMESTAMP column ${column} is one of the table`);
    this.#column = found.name;
    const { kind } = found.type;
    const format = properties.timestampFormat ?? null;
    if (kind === 'BIGINT') this.#msOf = whole;
    else if (kind === 'TIMESTAMP')
      this.#msOf = (value) => whole(typeof value === 'number' ? Math.floor(value / 1000) : value);
    else {
      assert(kind === 'STRING' && format !== null, `the TIMESTAMP column ${column} is a time`);
      const parse = createTimeParser(format);
      this.#msOf = (value) => parse(value as string);
    }
  }

  /** ms; null: the row has none. */
  of(row: Row): number | null {
    const value = row[this.#at]!;
    if (value === null) return null;
    const ms = this.#msOf(value);
    return ms === null || ms < 0 ? null : ms;
  }

  /** Why the row has none. */
  problem(row: Row): string {
    const value = row[this.#at]!;
    const ms = value === null ? null : this.#msOf(value);
    const shown =
      typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : String(value as number | bigint | null);
    const why =
      value === null ? 'NULL' : ms === null ? `${shown}, which is no timestamp` : `${shown}, which is before 1970`;
    return `the TIMESTAMP column ${this.#column} is ${why}`;
  }
}

/** The timestamp rule of a stream or table; undefined: it has none, and a record's own time counts. */
export function rowTimestamp(entry: SourceEntry): RowTimestamp | undefined {
  const column = entry.properties.timestampColumn;
  return column === null ? undefined : new RowTimestamp(entry, column);
}

/** More than a double holds exactly is no time that anything here could keep. */
function whole(value: Value): number | null {
  return typeof value === 'number' ? value : null;
}
