// One reader of the bank: reads every account row by row, the projections and the marks in one request, again and again, and judges
// each answer by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bank } from './bank-writer.js';
import { parseExact, printScalar, type ExactJson } from './exact-json.js';
import { request, type Answer } from './http-client.js';

type Row = Readonly<Record<string, ExactJson>>;
const projectionNames = ['savings_by_branch', 'checking_by_branch'];
const afterDisturbanceMs = 5_000;
const faultsMax = 10;

export class BankReader {
  readonly faults: string[] = [];
  readonly versions = new Set<string>();
  readonly stalenessMs: number[] = [];
  readonly disturbedStalenessMs: number[] = [];
  readonly readMs: number[] = [];
  answers = 0;
  answersWithProjections = 0;
  snapshotting = 0;
  broken = 0;
  readonly #url: () => string;
  readonly #bank: Bank;
  #withProjections = false;
  #quietFrom = 0;
  #stopping = false;
  #seen: readonly bigint[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(url: () => string, bank: Bank) {
    this.#url = url;
    this.#bank = bank;
  }

  start(): void {
    this.#running = this.#run();
  }

  stop(): Promise<void> {
    this.#stopping = true;
    return this.#running;
  }

  readProjections(): void {
    this.#withProjections = true;
  }

  /** What is measured within the next seconds counts apart. */
  disturbed(): void {
    this.#quietFrom = Date.now() + afterDisturbanceMs;
  }

  /** The newest answer holds all these transactions. */
  isCurrent(newest: ReadonlyMap<string, bigint>): boolean {
    return [...newest].every(([writer, tx]) => (this.#seen[Number(writer)] ?? -1n) >= tx);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const projections = this.#withProjections;
      const begun = performance.now();
      let answer: Answer;
      try {
        answer = await request(`${this.#url()}/v1/read`, {
          body: { reads: this.#reads(projections) },
          timeoutMs: 20_000,
        });
      } catch {
        this.broken++; // killed or restarting
        await sleep(20);
        continue;
      }
      this.readMs.push(performance.now() - begun);
      if (answer.status === 200) this.#judge(answer, projections);
      else this.#refused(answer);
      await sleep(1);
    }
  }

  #reads(projections: boolean): object[] {
    const ids = Array.from({ length: this.#bank.accounts }, (_, i) => String(i + 1));
    return [
      ...ids.map((key) => ({ table: 'savings', key })),
      ...ids.map((key) => ({ table: 'checking', key })),
      { table: 'marks' },
      ...(projections ? projectionNames.map((table) => ({ table })) : []),
    ];
  }

  /** Before the first snapshot is there, and while the program starts, no answer is the right answer. */
  #refused({ status, text }: Answer): void {
    const code = /"code":\s*"([a-z-]+)"/.exec(text)?.[1];
    if (status === 503 && (code === 'snapshotting' || code === 'not-ready')) this.snapshotting++;
    // Until connect has announced the tables there are none.
    else if (status === 404 && code === 'unknown-table' && this.answers === 0) this.snapshotting++;
    else this.#fault(`${status} ${text.slice(0, 200)}`);
  }

  #judge(answer: Answer, projections: boolean): void {
    const receivedAt = Date.now();
    const { results } = parseExact(answer.text) as { results: readonly { rows: readonly Row[] }[] };
    const { accounts, total } = this.#bank;
    const version = String(answer.headers['writethrough-version']);
    this.answers++;
    this.versions.add(version);
    let sum = 0n;
    for (let i = 0; i < accounts * 2; i++) {
      const row = results[i]?.rows[0];
      if (row === undefined) return this.#fault(`${version}: account ${i} is missing`);
      sum += BigInt(printScalar(row['balance']));
    }
    if (sum !== total) this.#fault(`${version}: the accounts hold ${sum}, not ${total}`);
    if (projections) {
      this.answersWithProjections++;
      const rows = results.slice(accounts * 2 + 1).flatMap((result) => result.rows);
      const projected = rows.reduce((all, row) => all + BigInt(printScalar(row['total'])), 0n);
      if (projected !== total) this.#fault(`${version}: the projections hold ${projected}, not ${total}`);
    }
    this.#measure(results[accounts * 2]?.rows ?? [], receivedAt, version);
  }

  /** Time of the answer less the commit of the oldest transaction that is not in it. */
  #measure(marks: readonly Row[], receivedAt: number, version: string): void {
    let staleness = 0;
    const seen: bigint[] = [];
    for (const row of marks) {
      const writer = Number(printScalar(row['writer']));
      const tx = BigInt(printScalar(row['tx']));
      seen[writer] = tx;
      if (tx < (this.#seen[writer] ?? 0n))
        this.#fault(`${version}: transaction ${tx} of writer ${writer} after ${this.#seen[writer]}: time ran back`);
      const missing = this.#bank.committedAt(writer, Number(tx) + 1);
      if (missing !== undefined) staleness = Math.max(staleness, receivedAt - missing);
    }
    this.#seen = seen;
    (receivedAt < this.#quietFrom ? this.disturbedStalenessMs : this.stalenessMs).push(staleness);
  }

  #fault(text: string): void {
    if (this.faults.length < faultsMax) this.faults.push(text);
  }
}
