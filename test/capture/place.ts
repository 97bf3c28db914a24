// Where a script is run: a database (or file) of its own on one source, what a connector has to be told of it, and the source's own word
// of what is in it. Grounds make places; `mysql-place.ts` and `sqlite-place.ts` implement both.
import type { Cell, Form } from './canonical.js';
import type { Product, Section } from './script.js';

export interface Ground {
  readonly product: Product;
  /** A new, empty database. */
  open(label: string, options: { readonly pragmas: readonly string[] }): Promise<Place>;
  close(): Promise<void>;
}

export interface Place {
  /** Name of the connector, of its topics' prefix and of the database; new on each run. */
  readonly label: string;
  /** In a session of its own, which what it leaves open ends with. */
  run(section: Section): Promise<SectionEnd>;
  /** Properties of the source for the databases that are there now. */
  connector(): Promise<Readonly<Record<string, string>>>;
  tables(): Promise<readonly SourceTable[]>;
  /** Names that an error about this place may call: databases and tables. */
  names(): readonly string[];
  /** Takes away everything that the script has left on the source. */
  drop(): Promise<void>;
}

export type SectionEnd =
  | { readonly kind: 'done'; readonly notes: readonly string[] }
  /** By the source, with its own number. */
  | { readonly kind: 'refused'; readonly errno: string; readonly message: string; readonly statement: string }
  /** Capture is in its way: a lock, or no end. */
  | { readonly kind: 'hindered'; readonly message: string; readonly statement: string };

export interface SourceColumn {
  readonly name: string;
  /** As declared; for messages and for the outside comparer. */
  readonly declared: string;
  /** Where the form hangs on what the column is served as, it is found with that type. */
  readonly form: Form | ((servedType: string) => Form);
}

export interface SourceTable {
  readonly database: string;
  readonly table: string;
  /** Names of the primary key's columns; empty: it has none, so capture leaves it out. */
  readonly key: readonly string[];
  readonly columns: readonly SourceColumn[];
  /** The source's own refusal to read it, with its number: there is nothing to compare with. */
  readonly unreadable?: string | undefined;
  /** As SELECT gives them, undecoded. */
  readonly rows: readonly (readonly (Buffer | null)[])[];
}

export function formOf(column: SourceColumn, servedType: string): Form {
  return typeof column.form === 'function' ? column.form(servedType) : column.form;
}

export function sourceCell(form: Form, found: Buffer | null): Cell {
  return found === null ? null : form.source(found);
}
