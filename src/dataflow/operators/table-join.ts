// The 1:1 join of two tables on their keys: inner, left, right, outer.
import type { Row } from '../../core/data-type.js';
import { joinRow, type JoinOutput, type JoinShape } from './join-output.js';
import { keyOf, type Downstream, type Lookup } from './operator.js';

export type JoinType = 'inner' | 'left' | 'right' | 'outer';

export interface TableJoinSpec {
  readonly joinType: JoinType;
  readonly shape: JoinShape;
  /** Key columns of each side. */
  readonly leftKey: readonly number[];
  readonly rightKey: readonly number[];
  readonly output: JoinOutput;
}

export class TableJoin implements Lookup {
  readonly left: Downstream;
  readonly right: Downstream;
  readonly #spec: TableJoinSpec;
  /** Which side may be missing. */
  readonly #leftOptional: boolean;
  readonly #rightOptional: boolean;
  #leftRows: Lookup | undefined;
  #rightRows: Lookup | undefined;

  constructor(spec: TableJoinSpec) {
    this.#spec = spec;
    this.#leftOptional = spec.joinType === 'right' || spec.joinType === 'outer';
    this.#rightOptional = spec.joinType === 'left' || spec.joinType === 'outer';
    this.left = {
      accept: (before, after, rowtimeMs) => this.#leftChanged(before, after, rowtimeMs),
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

  #leftChanged(before: Row | null, after: Row | null, rowtimeMs: number): void {
    const key = keyOf((after ?? before)!, this.#spec.leftKey);
    const right = this.#rightRows!.get(key) ?? null;
    this.#set(
      key,
      after,
      right,
      Math.max(rowtimeMs, this.#rightRows!.rowtime(key)),
      after ?? before,
      right,
      after === null,
    );
  }

  #rightChanged(before: Row | null, after: Row | null, rowtimeMs: number): void {
    const key = keyOf((after ?? before)!, this.#spec.rightKey);
    const left = this.#leftRows!.get(key) ?? null;
    this.#set(
      key,
      left,
      after,
      Math.max(rowtimeMs, this.#leftRows!.rowtime(key)),
      left,
      after ?? before,
      after === null,
    );
  }

  #set(
    key: Row,
    left: Row | null,
    right: Row | null,
    rowtimeMs: number,
    leftHolder: Row | null,
    rightHolder: Row | null,
    deleted: boolean,
  ): void {
    const { shape, output } = this.#spec;
    if (this.#joins(left, right)) output.set(key, joinRow(shape, left, right, key), rowtimeMs);
    // A row that is not joined because the other side is missing was deleted when that side went away, or will be when the
    // news of it arrives here. Only a deletion of the changed side itself has to be passed on, whatever the other holds.
    else if (deleted) output.delete(key, joinRow(shape, leftHolder, rightHolder, key), rowtimeMs);
  }

  #joins(left: Row | null, right: Row | null): boolean {
    if (left === null) return right !== null && this.#leftOptional;
    return right !== null || this.#rightOptional;
  }

  get(key: Row): Row | undefined {
    const left = this.#leftRows!.get(key) ?? null;
    const right = this.#rightRows!.get(key) ?? null;
    return this.#joins(left, right) ? joinRow(this.#spec.shape, left, right, key) : undefined;
  }

  rowtime(key: Row): number {
    return Math.max(this.#leftRows!.rowtime(key), this.#rightRows!.rowtime(key));
  }
}
