// SELECT: computes the output columns. The old row is computed too where somebody below wants it exact; else only for a
// deletion, which needs the key.
import { bounds } from '../../core/bounds.js';
import { sizeOf, type Row } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { ColumnsEvaluator } from '../expression/evaluator.js';
import type { Downstream, Lookup } from './operator.js';

/** A row over the bound stops the query: to leave a column out would be another row. */
function projectRow(columns: ColumnsEvaluator, row: Row, rowtimeMs: number): Row {
  const result = columns(row, rowtimeMs);
  let size = 0;
  for (let i = 0; i < result.length; i++) {
    const value = result[i]!;
    if (typeof value === 'string') size += value.length;
    else if (typeof value === 'object' && value !== null) size += sizeOf(value);
  }
  if (size <= bounds.rowSize.value) return result;
  throw new AppError(bounds.rowSize.code, `a row of the query has ${size} characters and bytes`, {
    hint: `${bounds.rowSize.value} at most`,
  });
}

export class Project implements Downstream {
  readonly #columns: ColumnsEvaluator;
  readonly #next: Downstream;
  readonly #givesBefore: boolean;

  constructor(columns: ColumnsEvaluator, next: Downstream, givesBefore: boolean) {
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
  readonly #columns: ColumnsEvaluator;
  /** For each key column of the input, its place in the key of the output. */
  readonly #keyOrder: readonly number[];
  readonly #input: Lookup;

  constructor(columns: ColumnsEvaluator, keyOrder: readonly number[], input: Lookup) {
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
