// Random transactions over the load's tables: inserts, updates (of keys, too), deletes, several rows at once, some rolled back.
// Every session owns a share of the keys, so the order of commits of one key is known without asking the source. The last
// statement of each transaction marks its number, so that after a lost connection the source itself tells whether it committed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.js';
import { Journal, type JournalEntry } from './journal.js';
import { createTableSql, keyOf, rowParams, type CanonicalRow, type LoadTable, type LoadTables } from './load-tables.js';
import type { SourceDatabase, SourceSession } from './source-database.js';

export interface LoadOptions {
  readonly dice: Dice;
  readonly initialRows: number;
  /** Transactions per second over all sessions. */
  readonly rate: number;
  /** That a transaction is a TRUNCATE instead, alone. */
  readonly truncates?: number | undefined;
}

const rollbackShare = 0.1;
const operationsMax = 8;

export class LoadWriter {
  readonly journal: Journal;
  readonly #source: SourceDatabase;
  readonly #tables: LoadTables;
  readonly #options: LoadOptions;
  readonly #marks = new Map<string, CanonicalRow>();
  #changeNo = 0;
  #transactions = 0;
  #rollbacks = 0;
  #stopping = false;
  #running: Promise<void> | undefined;
  #inFlight = 0;
  /** A TRUNCATE is under way: whatever else commits meanwhile might be before it or behind it. */
  #alone: Promise<void> | undefined;

  constructor(source: SourceDatabase, tables: LoadTables, options: LoadOptions) {
    this.#source = source;
    this.#tables = tables;
    this.#options = options;
    this.journal = new Journal(tables.all);
  }

  get transactions(): number {
    return this.#transactions;
  }

  get rollbacks(): number {
    return this.#rollbacks;
  }

  /** Number of the newest committed transaction of each writer. */
  get newest(): ReadonlyMap<string, bigint> {
    return new Map([...this.#marks].map(([writer, row]) => [writer, BigInt(row[1]!)]));
  }

  /** Makes the tables and their first rows. */
  async prepare(): Promise<void> {
    const { dialect } = this.#source;
    for (const table of [...this.#tables.all, this.#tables.secret])
      await this.#source.execute(createTableSql(table, dialect));
    const session = await this.#source.openSession();
    try {
      await session.begin();
      for (const table of this.#tables.captured) {
        for (let i = 0; i < this.#options.initialRows; i++) {
          const row = this.#makeRow(table, this.#freeKey(table, i % this.#source.writers, new Map()));
          this.journal.addInitial(table, row);
          await insert(session, table, [row], dialect);
        }
      }
      for (let writer = 0; writer < this.#source.writers; writer++) {
        const row = [String(writer), '0', '0'];
        this.#marks.set(row[0]!, row);
        this.journal.addInitial(this.#tables.marks, row);
        await insert(session, this.#tables.marks, [row], dialect);
      }
      await session.commit();
    } finally {
      // A transaction left open would keep the database from being dropped.
      await session.close();
    }
  }

  start(): void {
    this.#stopping = false;
    const writers = Array.from({ length: this.#source.writers }, (_, writer) => this.#write(writer));
    this.#running = Promise.all(writers).then(() => undefined);
    // Whoever stops the load hears of a failure; until then it must not end the process.
    this.#running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #write(writer: number): Promise<void> {
    const dice = this.#options.dice.fork(`writer ${writer} ${this.#transactions}`);
    const pauseMs = (1000 * this.#source.writers) / this.#options.rate;
    let session = await this.#source.openSession();
    let due = performance.now();
    try {
      while (!this.#stopping) {
        while (this.#alone) await this.#alone;
        if (this.#options.truncates !== undefined && dice.chance(this.#options.truncates))
          session = await this.#truncate(session, dice.pick(this.#tables.captured));
        else session = await this.#transact(session, writer, dice);
        due += pauseMs * (0.5 + dice.next());
        const wait = due - performance.now();
        if (wait > 1) await sleep(wait);
        else if (wait < -1000) due = performance.now();
        else await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      await session.close();
    }
  }

  /** Gives the session to go on with. */
  async #transact(session: SourceSession, writer: number, dice: Dice): Promise<SourceSession> {
    this.#inFlight++;
    try {
      const transaction = this.#plan(writer, dice);
      const outcome = await this.#commit(session, transaction);
      if (outcome === 'committed') this.#note(transaction);
      if (outcome === 'rolled-back') this.#rollbacks++;
      if (outcome !== 'lost') return session;
      await session.close();
      const next = await this.#reopen();
      if ((await this.#committed(next, writer)) === transaction.mark[1]) this.#note(transaction);
      return next;
    } finally {
      this.#inFlight--;
    }
  }

  async #truncate(session: SourceSession, { name }: LoadTable): Promise<SourceSession> {
    let done = (): void => {};
    this.#alone = new Promise((resolve) => (done = resolve));
    try {
      while (this.#inFlight > 0) await sleep(1);
      const keys = [...this.journal.table(name).rows.keys()];
      let next = session;
      try {
        await session.run(`TRUNCATE TABLE ${name}`, []);
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        await session.close();
        next = await this.#reopen();
        const [left] = await next.select(`SELECT COUNT(*) FROM ${name}`);
        if (Number(left![0]) > 0) return next;
      }
      this.journal.commit(keys.map((key) => ({ table: name, key, row: null })));
      this.#transactions++;
      return next;
    } finally {
      this.#alone = undefined;
      done();
    }
  }

  #note(transaction: Transaction): void {
    this.journal.commit(transaction.entries);
    this.#marks.set(transaction.mark[0]!, transaction.mark);
    this.#transactions++;
  }

  async #commit(session: SourceSession, transaction: Transaction): Promise<'committed' | 'rolled-back' | 'lost'> {
    try {
      await session.begin();
      for (const { sql, params } of transaction.statements) await session.run(sql, params);
      if (transaction.rollback) {
        await session.rollback();
        return 'rolled-back';
      }
      await session.commit();
      return 'committed';
    } catch (error) {
      if (isConnectionLoss(error)) return 'lost';
      if (isConflict(error)) {
        await session.rollback();
        return 'rolled-back';
      }
      throw error;
    }
  }

  /** While the server is down. */
  async #reopen(): Promise<SourceSession> {
    const deadline = Date.now() + 120_000;
    for (;;) {
      try {
        return await this.#source.openSession();
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(100);
      }
    }
  }

  async #committed(session: SourceSession, writer: number): Promise<string> {
    const [row] = await session.select(`SELECT CAST(tx AS CHAR) FROM marks WHERE writer = ${writer}`);
    return String(row?.[0]);
  }

  #plan(writer: number, dice: Dice): Transaction {
    const { dialect } = this.#source;
    const entries: JournalEntry[] = [];
    const statements: Transaction['statements'][number][] = [];
    const changed = new Map<string, Map<string, CanonicalRow | null>>();
    const note = (table: LoadTable, key: string, row: CanonicalRow | null): void => {
      entries.push({ table: table.name, key, row });
      let rows = changed.get(table.name);
      if (rows === undefined) changed.set(table.name, (rows = new Map()));
      rows.set(key, row);
    };
    for (let i = dice.between(1, operationsMax); i > 0; i--) {
      if (dice.chance(0.05)) {
        const { secret } = this.#tables;
        const row = secret.columns.map(({ kind }, c) => (c === 0 ? String(this.#nextChange()) : kind.make(dice)));
        statements.push(insertStatement(secret, [row], dialect));
        continue;
      }
      const table = dice.pick(this.#tables.captured);
      const seen = changed.get(table.name) ?? new Map<string, CanonicalRow | null>();
      const existing = this.#someKey(table, writer, seen, dice);
      const kind = existing === undefined ? 0 : dice.next();
      if (existing === undefined || kind < this.#insertShare(table)) {
        const rows: CanonicalRow[] = [];
        for (let n = dice.chance(0.3) ? dice.between(2, 5) : 1; n > 0; n--) {
          const row = this.#makeRow(table, this.#freeKey(table, writer, changed.get(table.name) ?? seen), dice);
          rows.push(row);
          note(table, keyOf(table, row), row);
        }
        statements.push(insertStatement(table, rows, dialect));
      } else if (kind < 0.7) {
        const row = this.#makeRow(table, existing, dice);
        note(table, keyOf(table, row), row);
        statements.push(updateStatement(table, existing, row, dialect));
      } else if (kind < 0.78) {
        const row = this.#makeRow(table, this.#freeKey(table, writer, seen), dice);
        note(table, keyOf(table, existing), null);
        note(table, keyOf(table, row), row);
        statements.push(updateStatement(table, existing, row, dialect));
      } else {
        note(table, keyOf(table, existing), null);
        const { condition, params } = keyCondition(table, existing, dialect);
        statements.push({ sql: `DELETE FROM ${table.name} WHERE ${condition}`, params });
      }
    }
    const before = this.#marks.get(String(writer))!;
    const mark = [String(writer), String(BigInt(before[1]!) + 1n), String(Date.now() * 1000)];
    note(this.#tables.marks, mark[0]!, mark);
    statements.push(updateStatement(this.#tables.marks, mark, mark, dialect));
    return { entries, statements, mark, rollback: dice.chance(rollbackShare) };
  }

  /** A row of this writer as this transaction sees it; a few tries among the known keys. */
  #someKey(
    table: LoadTable,
    writer: number,
    seen: ReadonlyMap<string, CanonicalRow | null>,
    dice: Dice,
  ): CanonicalRow | undefined {
    const { rows } = this.journal.table(table.name);
    for (let tries = 0; tries < 20; tries++) {
      const number = this.#keyNumber(dice.between(0, this.#keySpace(table)), writer);
      for (const key of table.key.length === 1 ? [number] : [`${dice.pick(regions)}\u0001${number}`]) {
        const row = seen.has(key) ? seen.get(key) : rows.get(key);
        if (row !== null && row !== undefined) return row;
      }
    }
    return undefined;
  }

  #freeKey(table: LoadTable, writer: number, seen: ReadonlyMap<string, CanonicalRow | null>): CanonicalRow {
    const { rows } = this.journal.table(table.name);
    const { dice } = this.#options;
    for (;;) {
      const number = this.#keyNumber(dice.between(0, this.#keySpace(table)), writer);
      const key = table.key.length === 1 ? [number] : [dice.pick(regions), number];
      const printed = key.join('\u0001');
      if (seen.has(printed) ? seen.get(printed) === null : !rows.has(printed)) return key;
    }
  }

  /** Grows to half as many rows again as there were at first, and stays there. */
  #insertShare(table: LoadTable): number {
    return this.journal.table(table.name).rows.size < this.#options.initialRows * 1.5 ? 0.3 : 0.12;
  }

  /** Room for twice as many keys as there are rows, so that keys come back after a deletion. */
  #keySpace(table: LoadTable): number {
    const keys = 200 + Math.max(this.#options.initialRows, this.journal.table(table.name).rows.size) * 2;
    const share = keys / this.#source.writers;
    return Math.ceil(table.key.length === 1 ? share : share / regions.length);
  }

  #keyNumber(n: number, writer: number): string {
    return String(n * this.#source.writers + writer);
  }

  /** `key`: a row of that key, or its key columns alone. */
  #makeRow(table: LoadTable, key: CanonicalRow, dice: Dice = this.#options.dice): CanonicalRow {
    return table.columns.map(({ name, kind, nullable }, i) => {
      const place = table.key.indexOf(i);
      if (place >= 0) return key.length === table.key.length ? key[place]! : key[i]!;
      if (name === 'change_no') return String(this.#nextChange());
      return nullable && dice.chance(0.15) ? null : kind.make(dice);
    });
  }

  #nextChange(): number {
    return ++this.#changeNo;
  }
}

const regions = ['north', 'south', 'a/b', 'x,y', '50%', 'São Paulo', '東京', 'q?r&s', '#1', 'plus+'];

interface Statement {
  readonly sql: string;
  readonly params: ReturnType<typeof rowParams>;
}

interface Transaction {
  readonly entries: readonly JournalEntry[];
  readonly statements: readonly Statement[];
  readonly mark: CanonicalRow;
  readonly rollback: boolean;
}

function insertStatement(
  table: LoadTable,
  rows: readonly CanonicalRow[],
  dialect: SourceDatabase['dialect'],
): Statement {
  const values = `(${table.columns.map(() => '?').join(', ')})`;
  return {
    sql: `INSERT INTO ${table.name} VALUES ${rows.map(() => values).join(', ')}`,
    params: rows.flatMap((row) => rowParams(table, row, dialect)),
  };
}

async function insert(
  session: SourceSession,
  table: LoadTable,
  rows: readonly CanonicalRow[],
  dialect: SourceDatabase['dialect'],
): Promise<void> {
  const { sql, params } = insertStatement(table, rows, dialect);
  await session.run(sql, params);
}

function updateStatement(
  table: LoadTable,
  old: CanonicalRow,
  row: CanonicalRow,
  dialect: SourceDatabase['dialect'],
): Statement {
  const { condition, params } = keyCondition(table, old, dialect);
  const sets = table.columns.map(({ name }) => `${name} = ?`).join(', ');
  return {
    sql: `UPDATE ${table.name} SET ${sets} WHERE ${condition}`,
    params: [...rowParams(table, row, dialect), ...params],
  };
}

function keyCondition(
  table: LoadTable,
  row: CanonicalRow,
  dialect: SourceDatabase['dialect'],
): { condition: string; params: ReturnType<typeof rowParams> } {
  const all = rowParams(table, row, dialect);
  return {
    condition: table.key.map((i) => `${table.columns[i]!.name} = ?`).join(' AND '),
    params: table.key.map((i) => all[i]!),
  };
}

function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  return (
    [
      'PROTOCOL_CONNECTION_LOST',
      'ECONNRESET',
      'ECONNREFUSED',
      'EPIPE',
      'ER_SERVER_SHUTDOWN',
      'ER_CLIENT_INTERACTION_TIMEOUT',
    ].includes(code) ||
    (error instanceof Error && /closed state|Connection lost/i.test(error.message))
  );
}

/** Two writers met on a gap lock: the server rolls one back. */
function isConflict(error: unknown): boolean {
  return ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
