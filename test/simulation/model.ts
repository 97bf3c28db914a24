// What must be true, without any of the code under test: sources whose transactions have an order, tables as plain maps after each of
// them, and derived tables as plain SQLite gives them over those maps.
import { producerName } from '../../src/connect/naming.js';
import { Database } from '../support/sqlite-driver.js';

export type Value = number | string | null;
export type ModelRow = readonly Value[];

export interface ModelRecord {
  readonly table: string;
  readonly key: number;
  /** Null: deleted. */
  readonly row: ModelRow | null;
  /** Written as what no decoder takes; its table stands still from there on. */
  readonly broken?: boolean;
}

export interface Transaction {
  readonly records: readonly ModelRecord[];
  /** The last part of the first snapshot. */
  readonly completes: boolean;
}

type Rows = ReadonlyMap<number, ModelRow>;
type Tables = Readonly<Record<string, Rows>>;

/** A database that is captured: its transactions, and its tables after each. */
export class ModelSource {
  readonly connector: string;
  readonly tables: readonly string[];
  readonly transactions: Transaction[] = [];
  readonly #states: Tables[];
  /** Per table, in the order of its topic. */
  readonly #records: Readonly<Record<string, { readonly record: ModelRecord; readonly transaction: number }[]>>;

  constructor(connector: string, tables: readonly string[]) {
    this.connector = connector;
    this.tables = tables;
    this.#states = [Object.fromEntries(tables.map((table) => [table, new Map()]))];
    this.#records = Object.fromEntries(tables.map((table) => [table, []]));
  }

  get producer(): string {
    return producerName(this.connector);
  }

  add(transaction: Transaction): void {
    const next: Record<string, Map<number, ModelRow>> = {};
    for (const [table, rows] of Object.entries(this.#states.at(-1)!)) next[table] = new Map(rows);
    this.transactions.push(transaction);
    for (const record of transaction.records) {
      const { table, key, row } = record;
      this.#records[table]!.push({ record, transaction: this.transactions.length });
      if (row === null) next[table]!.delete(key);
      else next[table]!.set(key, row);
    }
    this.#states.push(next);
  }

  /** Rows after so many transactions, in key order. */
  rows(table: string, count: number): readonly ModelRow[] {
    const rows = this.#states[count]![table]!;
    return [...rows].toSorted(([a], [b]) => a - b).map(([, row]) => row);
  }

  /** What the topic holds after so many transactions. */
  records(table: string, count: number): readonly ModelRecord[] {
    return this.#records[table]!.filter(({ transaction }) => transaction <= count).map(({ record }) => record);
  }
}

export const columnsOf: Readonly<Record<string, readonly string[]>> = {
  a: ['id', 'g', 'v', 'name'],
  b: ['id', 'w'],
  e: ['id', 'g', 'v', 'name'],
};

export interface DerivedTable {
  readonly name: string;
  readonly sql: string;
  /** The same over the base tables alone, for SQLite, in key order. */
  readonly oracle: string;
  readonly reads: readonly string[];
}

const byG = `SELECT g, COUNT(*) AS n, SUM(v) AS s FROM a WHERE g IS NOT NULL GROUP BY g`;
const derived = (name: string, reads: readonly string[], sql: string, oracle = `${sql} ORDER BY 1`): DerivedTable => ({
  name,
  sql,
  oracle,
  reads,
});

export const derivedTables: readonly DerivedTable[] = [
  derived('by_g', ['a'], 'SELECT g, COUNT(*) AS n, SUM(v) AS s FROM a GROUP BY g', `${byG} ORDER BY 1`),
  derived('big', ['a'], 'SELECT id, v + 1 AS v, name FROM a WHERE v > 5'),
  derived('joined', ['a', 'b'], 'SELECT a.id AS id, a.v AS v, b.w AS w FROM a JOIN b ON a.g = b.id'),
  derived('outer_joined', ['a', 'b'], 'SELECT a.id AS id, a.v AS v, b.w AS w FROM a LEFT JOIN b ON a.id = b.id'),
  derived('across', ['a', 'e'], 'SELECT a.id AS id, a.v AS v, e.v AS w FROM a JOIN e ON a.id = e.id'),
  derived(
    'ranges',
    ['e'],
    'SELECT g, MIN(v) AS low, MAX(v) AS high FROM e GROUP BY g',
    'SELECT g, MIN(v), MAX(v) FROM e WHERE g IS NOT NULL GROUP BY g ORDER BY 1',
  ),
  // Chained.
  derived(
    'sizes',
    ['by_g'],
    'SELECT n, COUNT(*) AS groups FROM by_g GROUP BY n',
    `SELECT n, COUNT(*) FROM (${byG}) GROUP BY n ORDER BY 1`,
  ),
  derived(
    'both',
    ['big', 'by_g'],
    'SELECT big.id AS id, by_g.s AS s FROM big JOIN by_g ON big.v = by_g.g',
    `SELECT big.id, by_g.s FROM (SELECT id, v + 1 AS v FROM a WHERE v > 5) big JOIN (${byG}) by_g ON big.v = by_g.g ORDER BY 1`,
  ),
];

/** How many transactions of each connector a cut contains. */
export type Cut = Readonly<Record<string, number>>;

export class Model {
  readonly sources: readonly ModelSource[];
  readonly #sqlite = new Database(':memory:');
  /** The cut that lies in it. */
  #loaded = '';
  readonly #answers = new Map<string, string>();

  constructor(sources: readonly ModelSource[]) {
    this.sources = sources;
    for (const [table, columns] of Object.entries(columnsOf)) {
      const list = columns.map((name) => (name === 'id' ? 'id INTEGER PRIMARY KEY' : name));
      this.#sqlite.exec(`CREATE TABLE ${table} (${list.join(', ')})`);
    }
  }

  sourceOf(table: string): ModelSource | undefined {
    return this.sources.find(({ tables }) => tables.includes(table));
  }

  cutOf(positions: Readonly<Record<string, string>>): Cut {
    return Object.fromEntries(
      this.sources.map(({ connector, producer }) => [connector, Number(positions[producer] ?? 0)]),
    );
  }

  baseRows(table: string, cut: Cut): string {
    const source = this.sourceOf(table)!;
    return JSON.stringify(source.rows(table, cut[source.connector]!));
  }

  derivedRows({ name, oracle }: DerivedTable, cut: Cut): string {
    const key = `${name} ${JSON.stringify(cut)}`;
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      this.#load(cut);
      answer = JSON.stringify(this.#sqlite.prepare(oracle).raw().all());
      this.#answers.set(key, answer);
    }
    return answer;
  }

  #load(cut: Cut): void {
    const key = JSON.stringify(cut);
    if (key === this.#loaded) return;
    this.#loaded = key;
    this.#sqlite.transaction(() => {
      for (const source of this.sources) {
        for (const table of source.tables) {
          this.#sqlite.exec(`DELETE FROM ${table}`);
          const insert = this.#sqlite.prepare(
            `INSERT INTO ${table} VALUES (${columnsOf[table]!.map(() => '?').join(', ')})`,
          );
          for (const row of source.rows(table, cut[source.connector]!)) insert.run(...row);
        }
      }
    })();
  }

  close(): void {
    this.#sqlite.close();
  }
}
