// WHERE and HAVING. A row that stops matching is a deletion below, one that starts to match an insertion.
import type { Row } from '../../core/data-type.js';
import type { Predicate } from '../expression/evaluator.js';
import type { Downstream, Lookup } from './operator.js';

export class Filter implements Downstream {
  readonly #predicate: Predicate;
  readonly #next: Downstream;

  constructor(predicate: Predicate, next: Downstream) {
    this.#predicate = predicate;
    this.#next = next;
  }

  accept(before: Row | null, after: Row | null, rowtimeMs: number, beforeRowtimeMs: number): void {
    const was = before !== null && this.#predicate(before, beforeRowtimeMs) ? before : null;
    const is = after !== null && this.#predicate(after, rowtimeMs) ? after : null;
    if (was !== null || is !== null) this.#next.accept(was, is, rowtimeMs, beforeRowtimeMs);
  }
}

/** Over an input whose `before` is inexact: whatever does not match is deleted, whether it was there or not. */
export class InexactFilter implements Downstream {
  readonly #predicate: Predicate;
  readonly #next: Downstream;

  constructor(predicate: Predicate, next: Downstream) {
    this.#predicate = predicate;
    this.#next = next;
  }

  accept(before: Row | null, after: Row | null, rowtimeMs: number, beforeRowtimeMs: number): void {
    if (after !== null && this.#predicate(after, rowtimeMs)) {
      this.#next.accept(before, after, rowtimeMs, beforeRowtimeMs);
    } else {
      this.#next.accept(before ?? after, null, rowtimeMs, before === null ? rowtimeMs : beforeRowtimeMs);
    }
  }
}

export class FilterLookup implements Lookup {
  readonly #predicate: Predicate;
  readonly #input: Lookup;

  constructor(predicate: Predicate, input: Lookup) {
    this.#predicate = predicate;
    this.#input = input;
  }

  get(key: Row): Row | undefined {
    const row = this.#input.get(key);
    return row !== undefined && this.#predicate(row, this.#input.rowtime(key)) ? row : undefined;
  }

  rowtime(key: Row): number {
    return this.#input.rowtime(key);
  }
}
