// What is read, printed and shared for subscribers at once.
import { bounds } from '../core/bounds.js';

export interface SubscriptionLimits {
  /** Of changes in one read of the feed: of a page, which is held for one subscriber. */
  readonly readBytes: number;
  /** Of rows in one page of a snapshot; many that begin at once hold one each. */
  readonly snapshotBytes: number;
  readonly snapshotPageRows: number;
  /** Of printed changes that a table's subscribers share. */
  readonly cacheBytes: number;
}

export const limitsDefault: SubscriptionLimits = {
  readBytes: bounds.pageBytes.value,
  snapshotBytes: 64 * 1024,
  snapshotPageRows: 320,
  cacheBytes: 1024 * 1024,
};
