// The join of a table with another one on the other's key: every left row finds at most one right row, every right row any
// number of left ones. An index (foreign key, left key) tells which; the operator keeps it, from exact old left rows. A right
// change recomputes all its left rows, read from the index in bounded pages.
import { compareRows, sameValue } from '../../core/compare.js';
import type { Row, Value } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { KeyedState } from '../../core/keyed-state.js';
import type { Evaluator } from '../expression/evaluator.js';
import { joinRow, type JoinOutput, type JoinShape } from './join-output.js';
import { keyOf, type Downstream, type Lookup } from './operator.js';

const pageSize = 256;
const noColumns: Row = [];

export interface ForeignKeyJoinSpec {
  readonly joinType: 'inner' | 'left';
  readonly shape: JoinShape;
  /** The right key's value, from a left row. */
  readonly foreignKey: Evaluator;
  readonly leftKey: readonly number[];
  readonly rightKey: readonly number[];
  /** (foreign key, left key...) -> nothing */
  readonly index: KeyedState;
  readonly output: JoinOutput;
}

export class ForeignKeyJoin implements Lookup {
  readonly left: Downstream;
  readonly right: Downstream;
  readonly #spec: ForeignKeyJoinSpec;
  #leftRows: Lookup | undefined;
  #rightRows: Lookup | undefined;

  constructor(spec: ForeignKeyJoinSpec) {
    this.#spec = spec;
    this.left = {
      accept: (before, after, rowtimeMs, beforeRowtimeMs) =>
        this.#leftChanged(before, after, rowtimeMs, beforeRowtimeMs),
    };
    this.right = {
      accept: (before, after, rowtimeMs) => this.#rightChanged(before, after, rowtimeMs),
    };
  }

  /** The inputs are compiled after the operator that they feed. */
  connect(leftRows: Lookup, rightRows: Lookup): void {
    this.#leftRows = leftRows;
    this.#rightRows = rightRows;
  }

  #leftChanged(before: Row | null, after: Row | null, rowtimeMs: number, beforeRowtimeMs: number): void {
    const { foreignKey, shape, output, joinType } = this.#spec;
    const key = keyOf((after ?? before)!, this.#spec.leftKey);
    const from = before === null ? null : foreignKey(before, beforeRowtimeMs);
    const to = after === null ? null : foreignKey(after, rowtimeMs);
    this.#moveIndex(key, from, to);
    const right = to === null ? null : (this.#rightRows!.get([to]) ?? null);
    if (after !== null && (right !== null || joinType === 'left')) {
      const rightRowtime = right === null ? -Infinity : this.#rightRows!.rowtime([to]);
      output.set(key, joinRow(shape, after, right, key), Math.max(rowtimeMs, rightRowtime));
    } else if (before !== null) {
      // Said also where nothing was joined before, as ksqlDB does; a first row that finds no partner is silent.
      output.delete(key, joinRow(shape, after ?? before, null, key), rowtimeMs);
    }
  }

  #moveIndex(key: Row, from: Value, to: Value): void {
    if (sameValue(from, to)) return;
    const { index } = this.#spec;
    if (from !== null) index.delete([from, ...key]);
    if (to !== null) index.put([to, ...key], noColumns);
  }

  #rightChanged(before: Row | null, after: Row | null, rowtimeMs: number): void {
    const foreignKey = keyOf((after ?? before)!, this.#spec.rightKey);
    let last: Row | undefined;
    for (;;) {
      const page = this.#spec.index.scan(foreignKey, { limit: pageSize, after: last });
      for (const entry of page) {
        assert(last === undefined || compareRows(entry.key, last) > 0, 'a scan of keyed state resumes behind `after`');
        last = entry.key;
        this.#recompute(foreignKey[0]!, entry.key.slice(1), after, rowtimeMs);
      }
      if (page.length < pageSize) return;
    }
  }

  #recompute(foreignKey: Value, key: Row, right: Row | null, rowtimeMs: number): void {
    const { shape, output, joinType } = this.#spec;
    const left = this.#leftRows!.get(key);
    const leftRowtime = this.#leftRows!.rowtime(key);
    // A left row that is gone, or points elsewhere by now, has a change of its own on the way, which will set this right.
    if (left === undefined || !sameValue(this.#spec.foreignKey(left, leftRowtime), foreignKey)) return;
    const rowtime = Math.max(rowtimeMs, leftRowtime);
    if (right !== null || joinType === 'left') output.set(key, joinRow(shape, left, right, key), rowtime);
    else output.delete(key, joinRow(shape, left, null, key), rowtime);
  }

  get(key: Row): Row | undefined {
    const left = this.#leftRows!.get(key);
    if (left === undefined) return undefined;
    const right = this.#partner(left, key);
    const row = right === null ? null : (this.#rightRows!.get(right) ?? null);
    if (row === null && this.#spec.joinType === 'inner') return undefined;
    return joinRow(this.#spec.shape, left, row, key);
  }

  rowtime(key: Row): number {
    const left = this.#leftRows!.get(key);
    if (left === undefined) return -Infinity;
    const right = this.#partner(left, key);
    const leftRowtime = this.#leftRows!.rowtime(key);
    return right === null ? leftRowtime : Math.max(leftRowtime, this.#rightRows!.rowtime(right));
  }

  #partner(left: Row, key: Row): Row | null {
    const foreignKey = this.#spec.foreignKey(left, this.#leftRows!.rowtime(key));
    return foreignKey === null ? null : [foreignKey];
  }
}
