// The rows of a pull, from the pages that a reader thread has printed them into: each batch is made when it is asked for, and a page is
// given back when its rows are gone.
import type { AnswerShare } from '../core/answer-budget.js';
import type { SqlRow } from './query-facade.js';
import type { WrittenPage } from './page-writer.js';

const batchRows = 500;
const batchBytes = 64 * 1024;

export class PulledRows {
  readonly #share: AnswerShare | undefined;
  #pages: WrittenPage[];

  constructor(pages: readonly WrittenPage[], share: AnswerShare | undefined) {
    this.#pages = [...pages];
    this.#share = share;
  }

  async *batches(): AsyncGenerator<readonly SqlRow[]> {
    try {
      for (;;) {
        const page = this.#pages.shift();
        if (page === undefined) return;
        yield* batchesOf(page);
        this.#share?.release(page.bytes.length);
      }
    } finally {
      this.free();
    }
  }

  /** What is left of them is not wanted. */
  free(): void {
    this.#pages = [];
    this.#share?.end();
  }
}

function* batchesOf({ bytes, ends }: WrittenPage): Generator<readonly SqlRow[]> {
  const page = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let batch: SqlRow[] = [];
  let batchFrom = 0;
  let from = 0;
  for (const end of ends) {
    batch.push({ values: page.toString('utf8', from, end), tombstone: false });
    from = end;
    if (batch.length < batchRows && from - batchFrom < batchBytes) continue;
    yield batch;
    batch = [];
    batchFrom = from;
  }
  if (batch.length > 0) yield batch;
}
