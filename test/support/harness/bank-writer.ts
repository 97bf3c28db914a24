// The bank's writers: transfers between accounts of two tables, each transaction numbered and timed in a row of marks.
import { setTimeout as sleep } from 'node:timers/promises';
import { bigint, int, text, type Dialect } from './columns.js';
import type { Dice } from './dice.js';
import { createTableSql, type LoadTable } from './load-tables.js';
import type { SourceDatabase, SourceSession } from './source-database.js';

const columnsOf = (): LoadTable['columns'] => [
  { name: 'id', kind: bigint, nullable: false },
  { name: 'branch', kind: int('mysql'), nullable: false },
  { name: 'balance', kind: bigint, nullable: false },
];
export const savings: LoadTable = { name: 'savings', columns: columnsOf(), key: [0] };
export const checking: LoadTable = { name: 'checking', columns: columnsOf(), key: [0] };
const accountTables = [savings, checking];
const marks: LoadTable = {
  name: 'marks',
  columns: ['writer', 'tx', 'committed_us'].map((name) => ({ name, kind: bigint, nullable: false })),
  key: [0],
};
const filler: LoadTable = {
  name: 'filler',
  columns: [
    { name: 'id', kind: bigint, nullable: false },
    { name: 'body', kind: text({ mysql: 'VARCHAR(200)', sqlite: 'TEXT' }, 0), nullable: false },
  ],
  key: [0],
};

export const projections = accountTables
  .map(
    ({ name }) =>
      `CREATE TABLE ${name}_by_branch AS SELECT branch, SUM(balance) AS total, COUNT(*) AS accounts FROM ${name} GROUP BY branch;`,
  )
  .join('\n');

const initialBalance = 1000;

export interface Bank {
  readonly accounts: number;
  /** Of all accounts of both tables, always. */
  readonly total: bigint;
  readonly transfers: number;
  readonly newest: ReadonlyMap<string, bigint>;
  /** When the writer's COMMIT of that transaction returned (ms), undefined while it has not. */
  committedAt(writer: number, tx: number): number | undefined;
  start(): void;
  stop(): Promise<void>;
}

export interface BankWriterOptions {
  readonly dice: Dice;
  readonly accounts: number;
  readonly fillerRows: number;
  readonly rate: number;
}

export async function createBank(source: SourceDatabase, options: BankWriterOptions): Promise<Bank> {
  await prepare(source, options);
  const times: (number | undefined)[][] = Array.from({ length: source.writers }, () => [0]);
  let stopping = false;
  let running: Promise<void> = Promise.resolve();

  async function write(writer: number): Promise<void> {
    const dice = options.dice.fork(`bank ${writer}`);
    const session = await source.openSession();
    const pauseMs = (1000 * source.writers) / options.rate;
    try {
      while (!stopping) {
        const tx = times[writer]!.length;
        if (await transfer(session, { writer, tx, dice, accounts: options.accounts })) times[writer]!.push(Date.now());
        await sleep(pauseMs * 2 * dice.next());
      }
    } finally {
      await session.close();
    }
  }

  return {
    accounts: options.accounts,
    total: BigInt(initialBalance * options.accounts * accountTables.length),
    get transfers() {
      return times.reduce((sum, list) => sum + list.length - 1, 0);
    },
    get newest() {
      return new Map(times.map((list, writer) => [String(writer), BigInt(list.length - 1)]));
    },
    committedAt: (writer, tx) => times[writer]?.[tx],
    start: () => {
      running = Promise.all(times.map((_, writer) => write(writer))).then(() => undefined);
      running.catch(() => undefined); // told by stop
    },
    stop: async () => {
      stopping = true;
      await running;
    },
  };
}

interface Transfer {
  readonly writer: number;
  readonly tx: number;
  readonly dice: Dice;
  readonly accounts: number;
}

/** False when it was rolled back: on purpose, or because two writers met. */
async function transfer(session: SourceSession, { writer, tx, dice, accounts }: Transfer): Promise<boolean> {
  await session.begin();
  try {
    for (let i = dice.between(1, 3); i > 0; i--) {
      const amount = dice.between(1, 50);
      const [from, to] = dice.chance(0.5) ? accountTables : accountTables.toReversed();
      await session.run(`UPDATE ${from!.name} SET balance = balance - ? WHERE id = ?`, [
        amount,
        dice.between(1, accounts),
      ]);
      await session.run(`UPDATE ${to!.name} SET balance = balance + ? WHERE id = ?`, [
        amount,
        dice.between(1, accounts),
      ]);
    }
    await session.run('UPDATE marks SET tx = ?, committed_us = ? WHERE writer = ?', [tx, Date.now() * 1000, writer]);
    if (dice.chance(0.1)) {
      await session.rollback();
      return false;
    }
    await session.commit();
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ER_LOCK_DEADLOCK') throw error;
    await session.rollback();
    return false;
  }
}

async function prepare(source: SourceDatabase, { accounts, fillerRows }: BankWriterOptions): Promise<void> {
  const dialect: Dialect = source.dialect;
  for (const table of [...accountTables, marks, filler]) await source.execute(createTableSql(table, dialect));
  const session = await source.openSession();
  await session.begin();
  for (let id = 1; id <= accounts; id++) {
    for (const { name } of accountTables)
      await session.run(`INSERT INTO ${name} VALUES (?, ?, ?)`, [id, id % 5, initialBalance]);
  }
  for (let writer = 0; writer < source.writers; writer++)
    await session.run('INSERT INTO marks VALUES (?, 0, 0)', [writer]);
  const body = 'x'.repeat(100);
  for (let id = 0; id < fillerRows; id += 500) {
    const count = Math.min(500, fillerRows - id);
    const params = Array.from({ length: count }, (_, i) => [id + i, body]).flat();
    await session.run(`INSERT INTO filler VALUES ${Array(count).fill('(?, ?)').join(', ')}`, params);
  }
  await session.commit();
  await session.close();
}
