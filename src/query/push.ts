// SELECT ... EMIT CHANGES over one table: the current rows, then every change, filtered and projected. A row that leaves the filter, or
// is deleted, comes as a tombstone: key columns keep their value, all others are null. Expressions are evaluated on the thread that also
// answers point reads, so in slices, and what one row may cost is bounded.
import { randomUUID } from 'node:crypto';
import { bounds } from '../core/bounds.js';
import { printType, sizeOf, type Row, type Value } from '../core/data-type.js';
import { AppError, assert } from '../core/errors.js';
import { offsetReset } from '../core/request-properties.js';
import { compileColumns, compilePredicate } from '../dataflow/expression/compile.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements } from '../sql/parser/parse.js';
import type { Expr, PlanNode, QueryPlan } from '../sql/plan.js';
import type { ReadSession, StateReader } from '../store/state-store.js';
import { columnPrinters } from './printers.js';
import { evaluation } from './evaluation.js';
import type { ReadTable } from './freshness.js';
import type { SqlRow, SqlRows } from './query-facade.js';
import { sourceCacheOf } from './session-catalog.js';
import { Slices } from './slices.js';
import type { Subscriptions } from './subscriptions.js';

export type PushAnswer = Omit<SqlRows, 'version' | 'lagMs' | 'stale' | 'position'> & { readonly table: ReadTable };

interface Linear {
  readonly table: string;
  readonly predicate: Expr | null;
  readonly columns: readonly Expr[];
}

export class PushQueries {
  readonly #reader: StateReader;
  readonly #subscriptions: Subscriptions;
  readonly #strict: boolean;
  readonly #running = new Map<string, AbortController>();
  /** Of all push queries together. */
  readonly #slices: Slices;

  constructor(reader: StateReader, subscriptions: Subscriptions, strict: boolean, slices = new Slices()) {
    this.#slices = slices;
    this.#reader = reader;
    this.#subscriptions = subscriptions;
    this.#strict = strict;
  }

  /** Undefined when the statement is no push query: whoever runs it analyses it, on a thread of its own. */
  open(sql: string, properties: Readonly<Record<string, unknown>>, signal: AbortSignal): PushAnswer | undefined {
    const parsed = parseStatements(sql);
    if (parsed.length !== 1) throw new AppError('bad-request', `one SELECT at a time, got ${parsed.length} statements`);
    const { ast } = parsed[0]!;
    if (ast.kind !== 'query' || ast.emit === null) return undefined;
    const session = this.#reader.session();
    try {
      const options = {
        strict: this.#strict,
        defaults: { keyFormat: 'JSON', valueFormat: 'JSON', partitions: 1 },
      } as const;
      const statement = analyzeStatement(parsed[0]!, sourceCacheOf(this.#reader).view(session), options);
      assert(statement.kind === 'push', 'a SELECT with EMIT is a push query');
      return this.#start(statement.plan, statement.limit, properties, session, signal);
    } finally {
      session.close();
    }
  }

  close(queryId: string): boolean {
    const running = this.#running.get(queryId);
    running?.abort();
    return running !== undefined;
  }

  #start(
    plan: QueryPlan,
    limit: number | null,
    properties: Readonly<Record<string, unknown>>,
    session: ReadSession,
    outer: AbortSignal,
  ): PushAnswer {
    const linear = linearOf(plan);
    const { spec, frontier } = session.table(linear.table);
    const queryId = `transient_${linear.table}_${randomUUID()}`;
    const controller = new AbortController();
    const running = this.#running;
    running.set(queryId, controller);
    // Its rows may never be asked for, so that nothing else would take it out again.
    controller.signal.addEventListener('abort', () => running.delete(queryId), { once: true });
    outer.addEventListener('abort', () => controller.abort(), { once: true });
    if (outer.aborted) controller.abort();
    const { schema } = plan.root;
    const snapshot = properties[offsetReset] !== 'latest';
    let limitReached = false;
    const rows = this.#rows(linear, schema.keyColumns, snapshot, limit, controller.signal, () => {
      limitReached = true;
    });
    return {
      queryId,
      table: { id: spec.id, frontier },
      columns: schema.columns.map(({ name, type }, i) => ({
        name,
        type: printType(type),
        isKey: schema.keyColumns.includes(i),
      })),
      rows: (async function* () {
        try {
          yield* rows;
        } finally {
          running.delete(queryId);
        }
      })(),
      cancel: () => controller.abort(),
      endReason: () => (limitReached ? 'limit' : undefined),
    };
  }

  async *#rows(
    linear: Linear,
    keyColumns: readonly number[],
    snapshot: boolean,
    limit: number | null,
    signal: AbortSignal,
    onLimit: () => void,
  ): AsyncGenerator<readonly SqlRow[]> {
    const accept = linear.predicate ? compilePredicate(linear.predicate, evaluation) : () => true;
    const values = compileColumns(linear.columns, evaluation);
    const print = columnPrinters(linear.columns.map((column) => column.type));
    const isKey = linear.columns.map((_, i) => keyColumns.includes(i));
    const printRow = (row: Row, rowtimeMs: number, tombstone: boolean): SqlRow => {
      const parts = values(row, rowtimeMs);
      const shown = tombstone ? parts.map((value, i) => (isKey[i] ? value : null)) : parts;
      assertRowSize(shown);
      return { values: shown.map((value, i) => print[i]!(value)).join(','), tombstone };
    };
    const slices = this.#slices;
    let left = limit ?? Number.POSITIVE_INFINITY;
    for await (const changes of this.#subscriptions.rows({ table: linear.table, snapshot, signal })) {
      let out: SqlRow[] = [];
      for (const { before, after, rowtimeMs, beforeRowtimeMs = rowtimeMs } of changes) {
        if (left === 0) break;
        if (slices.over()) {
          if (out.length > 0) yield out;
          out = [];
          await slices.next();
          if (signal.aborted) return;
        }
        const now = after !== null && accept(after, rowtimeMs);
        const then = before !== null && accept(before, beforeRowtimeMs);
        if (now) out.push(printRow(after, rowtimeMs, false));
        else if (then) out.push(printRow(before, beforeRowtimeMs, true));
        else continue;
        left--;
      }
      if (out.length > 0) yield out;
      if (left === 0) {
        onLimit();
        return;
      }
    }
  }
}

/** Before it is printed: printing it is what would take so much. */
function assertRowSize(values: readonly Value[]): void {
  let size = 0;
  for (const value of values) size += sizeOf(value);
  if (size <= bounds.pushedRowSize.value) return;
  throw new AppError(bounds.pushedRowSize.code, `a row of the query has ${size} characters and bytes`, {
    hint: `a push query gives rows of ${bounds.pushedRowSize.value} at most: select fewer columns`,
  });
}

/** Filter and projection over one table; anything else would need a topology of its own per listener. */
function linearOf(plan: QueryPlan): Linear {
  let predicate: Expr | null = null;
  let columns: readonly Expr[] | undefined;
  let node: PlanNode = plan.root;
  if (node.kind === 'project') {
    columns = node.columns;
    node = node.input;
  }
  if (node.kind === 'filter') {
    predicate = node.predicate;
    node = node.input;
  }
  if (node.kind !== 'source' || node.sourceKind !== 'table') {
    throw new AppError(
      'unsupported-statement',
      `a push query with ${node.kind === 'source' ? 'a stream as source' : node.kind} is not supported`,
      {
        hint: 'make it a table with CREATE TABLE ... AS SELECT and select from that',
      },
    );
  }
  columns ??= node.schema.columns.map(({ type }, index) => ({ kind: 'column', index, type }) as const);
  return { table: node.name, predicate, columns };
}
