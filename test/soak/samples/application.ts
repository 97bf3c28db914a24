// The application of a sample: it writes without end, as fast as a moment between two transactions lets it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { Dice } from '../../support/harness/dice.js';
import type { Sample } from './sample.js';

export interface Application {
  begin(): void;
  /** Resolves when it has ended what it is in. */
  pause(): Promise<void>;
  done(): number;
}

export function createApplication(
  sample: Sample,
  dice: Dice,
  use: (work: (connection: Connection) => Promise<void>) => Promise<void>,
): Application {
  let running = false;
  let work: Promise<void> = Promise.resolve();
  let done = 0;
  async function run(connection: Connection): Promise<void> {
    while (running) {
      for (const statement of sample.act(dice)) {
        // A migration may have taken a column away, or hold the table.
        const ended = await connection.query(statement).catch(() => undefined);
        if (ended !== undefined) continue;
        await connection.query('ROLLBACK');
        break;
      }
      await connection.query('SET autocommit = 1');
      done++;
      await sleep(5);
    }
  }
  return {
    begin: () => {
      running = true;
      work = use(run);
    },
    pause: async () => {
      running = false;
      await work;
    },
    done: () => done,
  };
}
