// A sample database: its tables, rows, stored procedures and what an application does with them, written anew here in the shapes that are
// known from public samples; each is the whole of what a user would point the program at.
import type { Dice } from '../../support/harness/dice.js';

export type Product = 'mysql' | 'mariadb';

export interface Sample {
  readonly name: string;
  /** One statement each; bodies of procedures hold semicolons. */
  schema(product: Product): readonly string[];
  /** Rows for all tables, `size` times as many as the smallest that is of use. */
  fill(dice: Dice, size: number): Iterable<string>;
  /** What an application does in one transaction, by its own procedures too. What the server refuses changes nothing. */
  act(dice: Dice): readonly string[];
  /** Queries over the captured tables: as they are given here, and the same asked of the server (`id` and numbers only). */
  readonly derived: readonly { readonly name: string; readonly create: string; readonly ask: string }[];
}

/** `INSERT` statements of at most 500 rows each. */
export function* inserts(table: string, rows: Iterable<string>): Iterable<string> {
  let values: string[] = [];
  const statement = (): string => `INSERT INTO ${table} VALUES ${values.map((row) => `(${row})`).join(', ')}`;
  for (const row of rows) {
    values.push(row);
    if (values.length < 500) continue;
    yield statement();
    values = [];
  }
  if (values.length > 0) yield statement();
}

/** 1 to `count`. */
export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
