// The bytes of all answers of the process that wait for their clients, in one sum: what reader threads have printed, what lies ready, and
// what a client has not taken yet. Whoever would pass the bound hears `overloaded`, so that no number of clients that ask for much, and
// read nothing, takes the memory of the process. The sum lies in memory that threads share, counted in units; who waits for which client is
// known to the main thread alone. When room is short, the answer goes first whose client has taken nothing for the longest time.
import { bounds } from './bounds.js';
import { AppError } from './errors.js';

const unitBytes = 1024;

/** What a thread needs to count in the same sum. */
export interface SharedAnswerBudget {
  readonly bytesMax: number;
  readonly total: SharedArrayBuffer;
}

export class AnswerBudget {
  readonly bytesMax: number;
  readonly #total: Int32Array;
  readonly #patienceMs: number;
  /** Those that are being sent, by when they moved last. */
  readonly #sent = new Set<AnswerShare>();

  constructor(
    bytesMax: number,
    { total = new SharedArrayBuffer(4), patienceMs = bounds.answerPatienceMs.value as number } = {},
  ) {
    this.bytesMax = bytesMax;
    this.#total = new Int32Array(total);
    this.#patienceMs = patienceMs;
  }

  /** Hands the sum to another thread. */
  get shared(): SharedAnswerBudget {
    return { bytesMax: this.bytesMax, total: this.#total.buffer as SharedArrayBuffer };
  }

  get bytes(): number {
    return Atomics.load(this.#total, 0) * unitBytes;
  }

  get isFull(): boolean {
    return this.bytes >= this.bytesMax;
  }

  /** Throws overloaded. */
  take(bytes: number): AnswerShare {
    this.#admit(bytes);
    return this.adopt(this.#count(bytes));
  }

  /** For what is in memory anyway: undefined when it is over the bound, and has to go. */
  tryTake(bytes: number): AnswerShare | undefined {
    return this.#makeRoom(bytes) ? this.adopt(this.#count(bytes)) : undefined;
  }

  /** For bytes that another thread has counted already. */
  adopt(countedBytes: number): AnswerShare {
    return new AnswerShare(countedBytes, {
      uncount: (bytes) => this.uncount(bytes),
      moved: (share) => {
        this.#sent.delete(share);
        this.#sent.add(share);
      },
      ended: (share) => this.#sent.delete(share),
    });
  }

  /** Counts without an owner, for a thread that keeps its own account. Throws overloaded; gives what was counted, in whole units. */
  count(bytes: number): number {
    this.#admit(bytes);
    return this.#count(bytes);
  }

  uncount(countedBytes: number): void {
    Atomics.sub(this.#total, 0, countedBytes / unitBytes);
  }

  /** Before work that will need room: those that take nothing give way while more than half of it is taken. */
  clear(): void {
    this.#makeRoom(this.bytesMax / 2);
  }

  #count(bytes: number): number {
    const units = Math.ceil(bytes / unitBytes);
    Atomics.add(this.#total, 0, units);
    return units * unitBytes;
  }

  #admit(bytes: number): void {
    if (bytes > this.bytesMax) throw tooLarge(this.bytesMax);
    if (!this.#makeRoom(bytes)) throw overloaded();
  }

  #makeRoom(bytes: number): boolean {
    while (this.bytes + bytes > this.bytesMax) {
      const [stillest] = this.#sent;
      if (stillest === undefined || performance.now() - stillest.movedAtMs < this.#patienceMs) return false;
      stillest.cutOff();
    }
    return true;
  }
}

function overloaded(): AppError {
  return new AppError(
    'overloaded',
    'answers that wait for their clients take all the memory that is set aside for them',
    {
      hint: 'try again, or ask for less at once; the bound is the option http.answers-bytes-max',
      retriable: true,
    },
  );
}

/** No waiting helps. */
function tooLarge(bytesMax: number): AppError {
  return new AppError('result-too-large', `the answer is over ${Math.round(bytesMax / 1048576)} MB`, {
    hint: 'ask for less; the bound is the option http.answers-bytes-max',
  });
}

interface Ledger {
  readonly uncount: (bytes: number) => void;
  readonly moved: (share: AnswerShare) => void;
  readonly ended: (share: AnswerShare) => void;
}

/** What one answer takes of the budget. Whoever holds it ends it, once the client has the bytes or is gone. */
export class AnswerShare {
  readonly #ledger: Ledger;
  #bytes: number;
  #cut: (() => void) | undefined;
  movedAtMs = 0;

  constructor(bytes: number, ledger: Ledger) {
    this.#bytes = bytes;
    this.#ledger = ledger;
  }

  /** From now on it can be cut off for others' sake. */
  sending(cut: () => void): void {
    this.#cut = cut;
    this.moved();
  }

  /** The client has taken something. */
  moved(): void {
    if (this.#cut === undefined) return;
    this.movedAtMs = performance.now();
    this.#ledger.moved(this);
  }

  /** So many are gone; whole units of them count. */
  release(bytes: number): void {
    const whole = Math.min(this.#bytes, Math.floor(bytes / unitBytes) * unitBytes);
    this.#bytes -= whole;
    this.#ledger.uncount(whole);
    this.moved();
  }

  end(): void {
    this.#ledger.ended(this);
    this.#ledger.uncount(this.#bytes);
    this.#bytes = 0;
    this.#cut = undefined;
  }

  cutOff(): void {
    const cut = this.#cut;
    this.end();
    cut?.();
  }
}
