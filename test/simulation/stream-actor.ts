// The client of a stream: inserts numbers that rise, one after the other, into a stream that a derived stream filters, and now and then
// drops that one, to make it again out of the same log. Each topic must hold what was acknowledged exactly once and in order, and of
// what was never answered each number once or not at all.
import { toAppError } from '../../src/core/errors.js';
import type { Dice } from '../support/harness/dice.js';
import type { SimulatedProcess } from './process.js';
import type { VirtualLoop } from './virtual-loop.js';

const setUp = `CREATE STREAM IF NOT EXISTS src (v BIGINT) WITH (KAFKA_TOPIC='src', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM IF NOT EXISTS large AS SELECT v FROM src WHERE v > 9;`;
const tearDown = 'DROP STREAM IF EXISTS large DELETE TOPIC;';

export class StreamActor {
  readonly #loop: VirtualLoop;
  readonly #dice: Dice;
  readonly #breach: (text: string) => void;
  readonly #acknowledged: number[] = [];
  readonly #attempted = new Set<number>();
  #process: SimulatedProcess | undefined;
  #ready = false;
  #busy = false;
  #next = 1;

  constructor(loop: VirtualLoop, dice: Dice, breach: (text: string) => void) {
    this.#loop = loop;
    this.#dice = dice;
    this.#breach = breach;
  }

  /** Nothing that it asked of this process is unanswered. */
  isIdle(process: SimulatedProcess): boolean {
    return !(this.#busy && this.#process === process);
  }

  act(process: SimulatedProcess): boolean {
    if (!this.isIdle(process)) return false;
    this.#process = process;
    this.#busy = true;
    const drops = this.#ready && this.#dice.chance(0.05);
    if (drops) this.#ready = false;
    const value = this.#ready ? this.#next++ : undefined;
    if (value !== undefined) this.#attempted.add(value);
    const sql = drops ? tearDown : value === undefined ? setUp : `INSERT INTO src (v) VALUES (${value});`;
    const answer = (act: () => void): void =>
      this.#loop.post('stream client <- engine', () => {
        if (this.#process !== process || process.state !== 'up') return;
        this.#busy = false;
        act();
      });
    this.#loop.post('stream client -> engine', () => {
      process.api.execute({ sql, owner: 'api' }).then(
        () =>
          answer(() => {
            if (value === undefined) this.#ready = !drops;
            else this.#acknowledged.push(value);
          }),
        (error: unknown) =>
          answer(() => this.#breach(`"${sql}": ${toAppError(error).code} ${toAppError(error).message}`)),
      );
    });
    return true;
  }

  /** `src` and `large`: the values of the topics in their order; undefined: there is no such topic. */
  check(src: readonly number[] = [], large: readonly number[] | undefined): void {
    const rises = src.every((value, i) => i === 0 || value > src[i - 1]!);
    const held = new Set(src);
    const lost = this.#acknowledged.filter((value) => !held.has(value));
    const foreign = src.filter((value) => !this.#attempted.has(value));
    if (!rises || lost.length > 0 || foreign.length > 0)
      this.#breach(`topic src holds ${src.join()}; acknowledged were ${this.#acknowledged.join()}`);
    const wanted = src.filter((value) => value > 9);
    if (large !== undefined && JSON.stringify(wanted) !== JSON.stringify(large))
      this.#breach(`topic large holds ${large.join()}, src has ${wanted.join()}`);
  }
}
