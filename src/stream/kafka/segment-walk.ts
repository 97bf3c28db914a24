// Where the records of a commit's appends lie in one partition: each append takes the next ones, which may lie in several segments.
import type { CommitPart } from './commit-record.js';

export class SegmentWalk {
  readonly #segments: readonly number[];
  #segment = 0;
  /** Records of the segment that are behind us. */
  #used = 0;

  constructor({ segments }: CommitPart) {
    this.#segments = segments;
  }

  /** Calls `visit` with the offsets of the next `count` records: from, and the one behind the last. */
  take(count: number, visit: (from: number, end: number) => void): void {
    for (let left = count; left > 0;) {
      const first = this.#segments[this.#segment]!;
      const inSegment = this.#segments[this.#segment + 1]! - this.#used;
      const taken = Math.min(left, inSegment);
      visit(first + this.#used, first + this.#used + taken);
      left -= taken;
      this.#used += taken;
      if (taken === inSegment) {
        this.#segment += 2;
        this.#used = 0;
      }
    }
  }
}
