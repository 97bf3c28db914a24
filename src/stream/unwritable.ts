// An append that the embedded log cannot store, because a topic or partition of it is not there. It fails alone, with its producer where
// that has more behind it: whoever writes rolls back, leaves it out and writes the rest again.
import type { PendingAppend } from './pending-append.js';
import type { TopicRefusal } from './topic-refusal.js';

export class Unwritable extends Error {
  override readonly name = 'Unwritable';
  readonly append: PendingAppend;
  readonly error: TopicRefusal;

  constructor(append: PendingAppend, error: TopicRefusal) {
    super(error.message, { cause: error });
    this.append = append;
    this.error = error;
  }
}
