// The query facade on the main thread: point reads at once, on a connection of its own; everything longer on reader threads; changes
// from the subscriptions. Knows the newest version by the engine's notices.
import { randomUUID } from 'node:crypto';
import { AnswerPages } from '../core/answer-pages.js';
import type { AnswerShare } from '../core/answer-budget.js';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { parseEventId } from '../core/version.js';
import type { RowSchema } from '../core/data-type.js';
import type { StateReader, TableFrontier } from '../store/state-store.js';
import { freshnessOf, worstOf, type FreshnessEnv, type ReadTable } from './freshness.js';
import { snapshotTrouble } from './hidden-table.js';
import { parseKeyText } from './key-text.js';
import { rowPrinter } from './printers.js';
import { PulledRows } from './pulled-rows.js';
import { PushQueries } from './push.js';
import type {
  NumberStyle,
  PagedAnswer,
  PositionStyle,
  PullOptions,
  QueryFacade,
  ReadRequest,
  SqlRows,
  SubscribeOptions,
} from './query-facade.js';
import type { ReadAnswer, ReadTask } from './read-task.js';
import { Subscriptions } from './subscriptions.js';

export interface QueryServiceEnv extends FreshnessEnv {
  /** How long a subscription waits for a place that is not reached here yet; 0: it is refused, because nobody else can have given it. */
  readonly aheadWaitMs?: number | undefined;
  readonly reader: StateReader;
  readonly runTask: (task: ReadTask) => Promise<CountedAnswer | ReadAnswer>;
  readonly strict: boolean;
  readonly logger: Logger;
}

/** An answer with what it takes of the room that all answers of the process share. */
export type CountedAnswer = ReadAnswer & { readonly share: AnswerShare };

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

export class QueryService implements QueryFacade {
  readonly #env: QueryServiceEnv;
  readonly #subscriptions: Subscriptions;
  readonly #push: PushQueries;
  readonly #waiters = new Set<Waiter>();
  /** Printers of point reads; a table's schema object stands as long as its definition. */
  readonly #printers = new WeakMap<RowSchema, Partial<Record<NumberStyle, ReturnType<typeof rowPrinter>>>>();
  /** The newest commit known here. */
  #seq: number;

  constructor(env: QueryServiceEnv) {
    this.#env = env;
    this.#subscriptions = new Subscriptions(env.reader, env.ages, env.logger);
    this.#push = new PushQueries(env.reader, this.#subscriptions, env.strict);
    const session = env.reader.session();
    this.#seq = session.frontier.seq;
    session.close();
  }

  /** The engine has committed up to `seq`. */
  committed(seq: number): void {
    this.#seen(seq);
    this.#subscriptions.wake();
    for (const waiter of this.#waiters) {
      if (waiter.seq > seq) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** No commit comes any more, and the reader throws from here on: who waits for one hears why. */
  fail(error: AppError): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
    this.#subscriptions.wake();
  }

  /** Where each producer's newest applied append stands, whole. */
  positions(): Readonly<Record<string, string>> {
    const session = this.#env.reader.session();
    const { frontier } = session;
    session.close();
    return frontier.positions;
  }

  get subscriberCount(): number {
    return this.#subscriptions.count;
  }

  point(table: string, keyText: string, numbers: NumberStyle, positionStyle?: PositionStyle) {
    const { found, frontier, spec } = this.#point(table, keyText);
    const { ages, positions } = this.#env;
    const { version, lagMs, stale, position } = freshnessOf(
      frontier,
      ages.ofTable(spec.id, frontier),
      positions,
      positionStyle,
    );
    return {
      json: found === undefined ? null : this.#printer(spec.schema, numbers)(found.row),
      version,
      lagMs,
      stale,
      position,
    };
  }

  #point(table: string, keyText: string) {
    try {
      return this.#env.reader.point(table, ({ schema, name }) => parseKeyText(keyText, schema, name), this.#seq);
    } catch (error) {
      throw snapshotTrouble(error, this.#env.ages);
    }
  }

  #printer(schema: RowSchema, numbers: NumberStyle) {
    let printers = this.#printers.get(schema);
    if (!printers) this.#printers.set(schema, (printers = {}));
    return (printers[numbers] ??= rowPrinter(schema, numbers));
  }

  async tables(position?: PositionStyle) {
    const { ages, positions, reader } = this.#env;
    const session = reader.session();
    try {
      const tables = session.tables().map(({ spec, rowCount, visible, frontier }) => {
        const age = ages.ofTable(spec.id, frontier);
        return {
          name: spec.name,
          alias: spec.alias,
          rowCount,
          schema: spec.schema,
          visible,
          freshness: freshnessOf(frontier, age, positions, position),
          age,
          stopped: frontier.stopped === true,
        };
      });
      const { frontier } = session;
      return { tables, ...freshnessOf(frontier, ages.worst(frontier), positions, position) };
    } finally {
      session.close();
    }
  }

  read(reads: readonly ReadRequest[], options: PullOptions) {
    return this.#read(reads, options, false);
  }

  rows(read: ReadRequest, options: PullOptions) {
    return this.#read([read], options, true);
  }

  async #read(reads: readonly ReadRequest[], options: PullOptions, single: boolean): Promise<PagedAnswer> {
    await this.#waitAtLeast(options);
    const answer = await this.#run({
      kind: 'read',
      reads,
      numbers: options.numbers ?? 'strings',
      staleOk: options.staleOk ?? false,
      single,
    });
    if (answer.kind !== 'read') throw new AppError('internal', 'a reader thread answered another question');
    const pages = new AnswerPages(
      answer.pages.map(({ bytes }) => bytes),
      shareOf(answer),
    );
    return { pages, etag: answer.etag, ...this.#freshness(answer.frontier, answer.tables, options.position) };
  }

  async select(
    sql: string,
    properties: Readonly<Record<string, unknown>>,
    options: PullOptions & { readonly signal: AbortSignal },
  ): Promise<SqlRows> {
    await this.#waitAtLeast(options);
    const push = this.#openPush(sql, properties, options.signal);
    if (push) return { ...push, ...this.#freshness(push.table.frontier, [push.table], options.position) };
    const answer = await this.#run({ kind: 'pull', sql, strict: this.#env.strict, variables: {} });
    if (answer.kind !== 'pull') throw new AppError('internal', 'a reader thread answered another question');
    const { columns, pages } = answer.result;
    const rows = new PulledRows(pages, shareOf(answer));
    return {
      queryId: `query_${randomUUID()}`,
      columns,
      rows: rows.batches(),
      cancel: () => rows.free(),
      ...this.#freshness(answer.frontier, answer.tables, options.position),
    };
  }

  async #run(task: ReadTask): Promise<CountedAnswer | ReadAnswer> {
    try {
      return await this.#env.runTask(task);
    } catch (error) {
      throw snapshotTrouble(error, this.#env.ages);
    }
  }

  #openPush(sql: string, properties: Readonly<Record<string, unknown>>, signal: AbortSignal) {
    try {
      return this.#push.open(sql, properties, signal);
    } catch (error) {
      throw snapshotTrouble(error, this.#env.ages);
    }
  }

  closeQuery(queryId: string): boolean {
    return this.#push.close(queryId);
  }

  subscribe(options: SubscribeOptions) {
    const { after } = options;
    const waitMs = this.#env.aheadWaitMs ?? 0;
    return after === undefined || waitMs === 0
      ? this.#subscriptions.subscribe(options)
      : this.#subscribeBehind(after, waitMs, options);
  }

  /** The place may be one that another process of this log handed out, which is further than this one. */
  async *#subscribeBehind(after: string, waitMs: number, options: SubscribeOptions) {
    await this.waitFor(after.replace(/~.*$/s, ''), waitMs);
    yield* this.#subscriptions.subscribe(options);
  }

  waitFor(version: string, waitMs: number): Promise<void> {
    const { seq, logId } = parseEventId(version);
    const session = this.#env.reader.session();
    const { frontier } = session;
    session.close();
    if (logId !== frontier.logId)
      throw new AppError('too-old', `${version} is a version of another log`, {
        detail: `this log is ${frontier.logId}`,
      });
    this.#seen(frontier.seq);
    if (seq <= this.#seq) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = {
        seq,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error: AppError) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(
          new AppError('read-timeout', `version ${version} was not reached within ${waitMs} ms`, { retriable: true }),
        );
      }, waitMs);
      this.#waiters.add(waiter);
    });
  }

  async #waitAtLeast({ atLeast, waitMs }: PullOptions): Promise<void> {
    if (atLeast !== undefined) await this.waitFor(atLeast, waitMs ?? 10_000);
  }

  /** No later answer is older than one that was given. */
  #seen(seq: number): void {
    if (seq > this.#seq) this.#seq = seq;
  }

  #freshness(frontier: TableFrontier, tables: readonly ReadTable[], position: PositionStyle | undefined) {
    this.#seen(frontier.seq);
    const { ages, positions } = this.#env;
    return freshnessOf(frontier, worstOf(tables, ages), positions, position);
  }
}

function shareOf(answer: CountedAnswer | ReadAnswer): AnswerShare | undefined {
  return 'share' in answer ? answer.share : undefined;
}
