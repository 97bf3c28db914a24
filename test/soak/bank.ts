// Money moves between the rows of two tables; readers read all rows of both, and two projections over them, in one request. In every
// answer each sum is the whole amount: during the snapshot, a rebuild, a restart, after kill -9. A row of marks that every
// transaction writes tells which transactions an answer contains, and so how old it is.
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp, type App } from '../support/harness/app-process.js';
import { createBank, savings, checking, projections, type Bank } from '../support/harness/bank-writer.js';
import { BankReader } from '../support/harness/bank-reader.js';
import { createDice } from '../support/harness/dice.js';
import { percentile, type Figures } from '../support/harness/figures.js';
import { requestJson } from '../support/harness/http-client.js';
import { waitForMarks, waitForTables } from '../support/harness/progress.js';
import type { SourceDatabase } from '../support/harness/source-database.js';
import { waitFor } from '../support/harness/wait-for.js';

export interface BankOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly source: SourceDatabase;
  readonly kafka?: { readonly brokers: readonly string[] };
  readonly kills?: number;
  readonly rebuilds?: number;
  /** Orderly restarts. */
  readonly restarts?: number;
  readonly readers?: number;
  readonly rate?: number;
  readonly accounts?: number;
  /** Rows of a third table that make the first snapshot last. */
  readonly fillerRows?: number;
  /** Fewer distinct versions than this prove nothing. */
  readonly versionsMin: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly tell?: (line: string) => void;
}

export async function runBank(options: BankOptions): Promise<Figures> {
  const { source, seed, kafka } = options;
  const bank = await createBank(source, {
    dice: createDice(seed),
    accounts: options.accounts ?? 40,
    fillerRows: options.fillerRows ?? 20_000,
    rate: options.rate ?? 150,
  });
  const args = [
    '--source',
    source.url,
    ...(kafka === undefined ? [] : ['--stream', `kafka://${kafka.brokers.join(',')}`]),
  ];
  const app = await openApp({ args, env: { WRITETHROUGH_SERVICE_ID: `bank-${source.name}-${seed}`, ...options.env } });
  const readers = Array.from({ length: options.readers ?? 4 }, () => new BankReader(() => app.url, bank));
  try {
    bank.start();
    for (const reader of readers) reader.start();
    await app.start();
    await waitForTables(app.url, [savings, checking]);
    await requestJson(`${app.url}/ksql`, { body: { ksql: projections } });
    for (const reader of readers) reader.readProjections();
    await disturb(app, readers, options);
    await bank.stop();
    await waitForMarks(app.url, bank.newest);
    await waitFor('the last answer', () => readers.every((reader) => reader.isCurrent(bank.newest)), {
      timeoutMs: 10_000,
    });
    await Promise.all(readers.map((reader) => reader.stop()));
    return figuresOf(options, bank, readers);
  } catch (error) {
    const tail = app.log().trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(
      `bank ${source.dialect}, seed ${seed}: ${error instanceof Error ? error.message : String(error)}\nlast lines of the program:\n${tail}`,
      { cause: error },
    );
  } finally {
    await Promise.all(readers.map((reader) => reader.stop()));
    await bank.stop().catch(() => undefined);
    await app.close();
    await source.drop();
  }
}

/** Spreads kills, restarts and rebuilds over the time. */
async function disturb(app: App, readers: readonly BankReader[], options: BankOptions): Promise<void> {
  const { kills = 0, rebuilds = 0, restarts = 0, seconds, tell = () => undefined } = options;
  const dice = createDice(options.seed).fork('chaos');
  const plan = [
    ...Array<'kill'>(kills).fill('kill'),
    ...Array<'rebuild'>(rebuilds).fill('rebuild'),
    ...Array<'restart'>(restarts).fill('restart'),
  ];
  const order = plan.map((what) => ({ what, place: dice.next() })).toSorted((one, other) => one.place - other.place);
  const pauseMs = (seconds * 1000) / (order.length + 1);
  const mark = () => readers.forEach((reader) => reader.disturbed());
  for (const { what } of order) {
    await sleep(pauseMs * (0.75 + dice.next() / 2));
    tell(what);
    mark();
    if (what === 'rebuild') {
      await rebuild(app, dice.pick(['savings_by_branch', 'checking_by_branch']));
    } else {
      const begun = performance.now();
      if (what === 'kill') await app.kill();
      else await app.stop();
      const endedMs = performance.now() - begun;
      const { ms } = await app.start();
      tell(`  ended after ${endedMs.toFixed(0)} ms, ready after ${ms.toFixed(0)} ms`);
    }
    mark();
  }
  await sleep(pauseMs);
}

async function rebuild(app: App, table: string): Promise<void> {
  await requestJson(`${app.url}/v1/tables/${table}/rebuild`, { method: 'POST' });
  await waitFor(`the rebuild of ${table}`, async () => {
    const { rebuilds } = await requestJson<{ rebuilds: { table: string; state: string; error?: string }[] }>(
      `${app.url}/v1/rebuilds`,
    );
    const found = rebuilds.find((one) => one.table.toLowerCase() === table);
    if (found?.state === 'failed') throw new Error(found.error);
    return found?.state === 'done';
  });
}

function figuresOf(options: BankOptions, bank: Bank, readers: readonly BankReader[]): Figures {
  const faults = readers.flatMap((reader) => reader.faults);
  if (faults.length > 0) throw new Error(`${faults.length} wrong answers:\n${faults.slice(0, 10).join('\n')}`);
  const versions = new Set(readers.flatMap((reader) => [...reader.versions]));
  if (versions.size < options.versionsMin)
    throw new Error(`only ${versions.size} distinct versions were read, ${options.versionsMin} are needed`);
  const quiet = readers.flatMap((reader) => reader.stalenessMs);
  const disturbed = readers.flatMap((reader) => reader.disturbedStalenessMs);
  const sum = (part: (reader: BankReader) => number) => readers.reduce((total, reader) => total + part(reader), 0);
  return {
    seed: options.seed,
    source: options.source.dialect,
    log: options.kafka === undefined ? 'embedded' : 'kafka',
    transfers: bank.transfers,
    answers: sum((reader) => reader.answers),
    'answers with projections': sum((reader) => reader.answersWithProjections),
    'distinct versions': versions.size,
    'snapshotting (503)': sum((reader) => reader.snapshotting),
    'connection broken': sum((reader) => reader.broken),
    'staleness p50 ms': percentile(quiet, 0.5),
    'staleness p99 ms': percentile(quiet, 0.99),
    'staleness max ms': percentile(quiet, 1),
    'staleness p99 ms (5 s after a disturbance)': percentile(disturbed, 0.99),
    'read p99 ms': percentile(
      readers.flatMap((reader) => reader.readMs),
      0.99,
    ),
  };
}
