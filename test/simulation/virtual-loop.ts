// Time and the event loop, taken over for as long as a simulation runs: timers, immediates and messages of the code under test become
// tasks from which the dice pick the next one, and clocks show a time that moves with the tasks (and a little with each look, so that
// loops with a budget end). Promises are left to Node, whose order is a function of the tasks' order. So a run is a function of its seed,
// and the code under test needs to know nothing of it.
import type { Dice } from '../support/harness/dice.js';

/** What lives and dies together: a process with its timers and messages, or what outlives them all. */
export interface Life {
  isOver: boolean;
}

interface Work {
  readonly life: Life;
  run(): void;
}

interface Timer {
  readonly atMs: number;
  readonly work: Work;
  readonly everyMs: number | undefined;
}

interface PatchedTimer {
  timer: Timer | undefined;
  ref(): PatchedTimer;
  unref(): PatchedTimer;
  hasRef(): boolean;
  refresh(): PatchedTimer;
}

const realImmediate = globalThis.setImmediate;
const startMs = 1_767_000_000_000;
/** How far a look at a clock moves it, at most. */
const lookMs = 0.3;

export class VirtualLoop {
  readonly #dice: Dice;
  #nowMs = 0;
  #immediates: Work[] = [];
  #timers: Timer[] = [];
  /** Messages, in order per channel. */
  readonly #channels = new Map<string, Work[]>();
  /** Whose code runs: what it asks for is of its life. */
  current: Life = { isOver: true };
  #restore: (() => void)[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** As `Date.now` shows it, without a look. */
  get wallMs(): number {
    return startMs + this.#nowMs;
  }

  /** Tasks that wait: immediates, timers, messages. */
  get waiting(): number {
    let messages = 0;
    for (const queue of this.#channels.values()) messages += queue.length;
    return this.#immediates.length + this.#timers.length + messages;
  }

  /** Something is under way that needs no time to pass. */
  get busy(): boolean {
    return this.#immediates.length > 0 || this.#channels.size > 0;
  }

  /** A message; those of one channel keep their order. Heard in a life, which is over when nobody is there to hear it. */
  post(channel: string, run: () => void, life = this.current): void {
    if (life.isOver || this.current.isOver) return;
    const queue = this.#channels.get(channel);
    if (queue) queue.push({ life, run });
    else this.#channels.set(channel, [{ life, run }]);
  }

  /** One task, or, where there is none, time up to the next timer. */
  step(): void {
    this.#nowMs += this.#dice.next() * 2;
    const ready = this.#ready();
    if (ready.length > 0) {
      const work = this.#dice.pick(ready);
      this.current = work.life;
      return work.run();
    }
    const next = Math.min(...this.#timers.map(({ atMs }) => atMs));
    if (Number.isFinite(next)) this.#nowMs = Math.max(this.#nowMs, next);
  }

  createLife(): Life {
    return { isOver: false };
  }

  /** A process is gone: nothing of it runs any more, and nothing that it still asks for is taken. */
  end(life: Life): void {
    life.isOver = true;
    this.#immediates = this.#immediates.filter((each) => each.life !== life);
    this.#timers = this.#timers.filter((each) => each.work.life !== life);
    for (const [channel, queue] of this.#channels) {
      const left = queue.filter((each) => each.life !== life);
      if (left.length > 0) this.#channels.set(channel, left);
      else this.#channels.delete(channel);
    }
  }

  /** Lets all promises that can go on do so. */
  static settle(): Promise<void> {
    return new Promise((resolve) => realImmediate(resolve));
  }

  #ready(): Work[] {
    const ready: Work[] = [];
    for (const work of this.#immediates) {
      const run = (): void => {
        this.#immediates = this.#immediates.filter((each) => each !== work);
        work.run();
      };
      ready.push({ life: work.life, run });
    }
    for (const timer of this.#timers)
      if (timer.atMs <= this.#nowMs) ready.push({ life: timer.work.life, run: () => this.#fire(timer) });
    for (const [channel, queue] of this.#channels) {
      const run = (): void => {
        const work = queue.shift()!;
        if (queue.length === 0) this.#channels.delete(channel);
        work.run();
      };
      ready.push({ life: queue[0]!.life, run });
    }
    return ready;
  }

  #fire(timer: Timer): void {
    this.#remove(timer);
    if (timer.everyMs !== undefined) this.#timers.push({ ...timer, atMs: this.#nowMs + timer.everyMs });
    timer.work.run();
  }

  #remove(timer: Timer | undefined): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
  }

  /** The clocks' and timers' place in this thread, until `uninstall`. */
  install(): void {
    const later = (work: (...args: unknown[]) => void, ms: number | undefined, args: unknown[], again: boolean) =>
      this.#timer(() => work(...args), ms ?? 0, again);
    const look = () => (this.#nowMs += this.#dice.next() * lookMs);
    this.#patch(globalThis, {
      setImmediate: (work: (...args: unknown[]) => void, ...args: unknown[]) => {
        const made: Work = { life: this.current, run: () => work(...args) };
        if (!made.life.isOver) this.#immediates.push(made);
        return made;
      },
      clearImmediate: (made: Work) => (this.#immediates = this.#immediates.filter((each) => each !== made)),
      setTimeout: (work: () => void, ms?: number, ...args: unknown[]) => later(work, ms, args, false),
      setInterval: (work: () => void, ms?: number, ...args: unknown[]) => later(work, ms, args, true),
      clearTimeout: (patched?: PatchedTimer) => this.#remove(patched?.timer),
      clearInterval: (patched?: PatchedTimer) => this.#remove(patched?.timer),
    });
    this.#patch(performance, { now: look, timeOrigin: startMs });
    this.#patch(Date, { now: () => Math.floor(startMs + look()) });
    // Names of queries and the like; what a run does must not hang on them, but their lengths and order may show.
    this.#patch(Math, { random: () => this.#dice.next() });
  }

  uninstall(): void {
    for (const restore of this.#restore.toReversed()) restore();
    this.#restore = [];
  }

  #timer(run: () => void, ms: number, again: boolean): PatchedTimer {
    const made: PatchedTimer = {
      timer: undefined,
      ref: () => made,
      unref: () => made,
      hasRef: () => true,
      refresh: () => made,
    };
    const { current: life } = this;
    if (life.isOver) return made;
    const work: Work = { life, run };
    const timer: Timer = { atMs: this.#nowMs + Math.max(1, ms), work, everyMs: again ? Math.max(1, ms) : undefined };
    this.#timers.push(timer);
    made.timer = timer;
    return made;
  }

  #patch(target: object, values: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(values)) {
      const own = Object.getOwnPropertyDescriptor(target, name);
      Object.defineProperty(target, name, {
        value,
        configurable: true,
        writable: true,
        enumerable: own?.enumerable ?? false,
      });
      this.#restore.push(() => {
        if (own) Object.defineProperty(target, name, own);
        else Reflect.deleteProperty(target, name);
      });
    }
  }
}
