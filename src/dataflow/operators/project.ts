// SELECT: computes the output columns. The old row is computed too where somebody below wants it exact; else only for a
// deletion, which needs the key.
import type { Row, Value } from '../../core/data-type.js';
import type { Evaluator } from '../expression/evaluator.js';
import type { Downstream, Lookup } from './operator.js';

export function projectRow(columns: readonly Evaluator[], row: Row, rowtimeMs: number): Row {
  const n = columns.length;
  const result: Value[] = [];
  for (let i = 0; i < n; i++) result.push(columns[i]!(row, rowtimeMs));
  return result;
}

export class Project implements Downstream {
  readonly #columns: readonly Evaluator[];
  readonly #next: Downstream;
  readonly #givesBefore: boolean;

  constructor(columns: readonly Evaluator[], next: Downstream, givesBefore: boolean) {
    this.#columns = columns;
    this.#next = next;
    this.#givesBefore = givesBefore;
  }

  accept(before: Row | null, after: Row | null, rowtimeMs: number, beforeRowtimeMs: number): void {
    const columns = this.#columns;
    const was =
      before !== null && (after === null || this.#givesBefore) ? projectRow(columns, before, beforeRowtimeMs) : null;
    const is = after === null ? null : projectRow(columns, after, rowtimeMs);
    this.#next.accept(was, is, rowtimeMs, beforeRowtimeMs);
  }
}

export class ProjectLookup implements Lookup {
  readonly #columns: readonly Evaluator[];
  /** For each key column of the input, its place in the key of the output. */
  readonly #keyOrder: readonly number[];
  readonly #input: Lookup;

  constructor(columns: readonly Evaluator[], keyOrder: readonly number[], input: Lookup) {
    this.#columns = columns;
    this.#keyOrder = keyOrder;
    this.#input = input;
  }

  get(key: Row): Row | undefined {
    const inputKey = this.#inputKey(key);
    const row = this.#input.get(inputKey);
    return row === undefined ? undefined : projectRow(this.#columns, row, this.#input.rowtime(inputKey));
  }

  rowtime(key: Row): number {
    return this.#input.rowtime(this.#inputKey(key));
  }

  #inputKey(key: Row): Row {
    return key.length === 1 ? key : this.#keyOrder.map((place) => key[place]!);
  }
}
