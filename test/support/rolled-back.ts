// A transaction of the store that is given up: what it did is there for `work` alone.
import type { StateWriter } from '../../src/store/state-store.js';

class GivenUp extends Error {}

export function rolledBack(state: StateWriter, work: () => void): void {
  try {
    state.transaction(() => {
      work();
      throw new GivenUp();
    });
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
  }
}
