// One SELECT over one table, answered from a cut: keys and ranges are pushed down to the store, everything else runs in the compiled
// evaluator (SQLite's own rules of affinity, LIKE and division differ from the dialect's).
import { compileColumns, compilePredicate } from '../dataflow/expression/compile.js';
import { printType } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements } from '../sql/parser/parse.js';
import type { CatalogView, PullPlan } from '../sql/plan.js';
import type { ReadSession, StoredRow, TableFrontier } from '../store/state-store.js';
import type { ReadTable } from './freshness.js';
import { PageWriter, type WrittenPage } from './page-writer.js';
import { columnPrinters } from './printers.js';
import { evaluation } from './evaluation.js';
import type { ReadBudget } from './read-budget.js';

export interface PullResult {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly isKey: boolean }[];
  /** Rows, each the inner text of a JSON array. */
  readonly pages: readonly WrittenPage[];
}

export interface PullRequest {
  readonly sql: string;
  readonly strict: boolean;
  readonly variables: Readonly<Record<string, string>>;
}

export function runPull(
  session: ReadSession,
  catalog: CatalogView,
  request: PullRequest,
  budget: ReadBudget,
): { readonly result: PullResult; readonly frontier: TableFrontier; readonly tables: readonly ReadTable[] } {
  const parsed = parseStatements(request.sql, { variables: request.variables });
  if (parsed.length !== 1) throw new AppError('bad-request', `one SELECT at a time, got ${parsed.length} statements`);
  const options = {
    strict: request.strict,
    defaults: { keyFormat: 'JSON', valueFormat: 'JSON', partitions: 1 },
  } as const;
  const statement = analyzeStatement(parsed[0]!, catalog, options);
  if (statement.kind !== 'pull')
    throw new AppError('bad-request', `a ${statement.kind} statement is no query`, { hint: 'send it to /ksql' });
  const { spec, frontier } = session.table(statement.plan.source);
  return {
    result: pullRows(session, statement.plan, spec.name, budget),
    frontier,
    tables: [{ id: spec.id, frontier }],
  };
}

function pullRows(session: ReadSession, plan: PullPlan, source: string, budget: ReadBudget): PullResult {
  const accept = plan.predicate === null ? undefined : compilePredicate(plan.predicate, evaluation);
  const values = compileColumns(plan.columns, evaluation);
  const print = columnPrinters(plan.output.map((column) => column.type));
  const writer = new PageWriter(budget.takeRoom);
  let count = 0;
  const limit = plan.limit ?? Number.POSITIVE_INFINITY;
  const take = ({ row, rowtimeMs }: StoredRow) => {
    if (accept && !accept(row, rowtimeMs)) return budget.look();
    const parts = values(row, rowtimeMs);
    const texts: string[] = [];
    let counted = 0;
    for (let i = 0; i < parts.length; i++) {
      const text = print[i]!(parts[i]!);
      budget.takePart(text.length + 1);
      counted += text.length + 1;
      texts.push(text);
    }
    // So far characters were counted, before the row is made of them; now its bytes are known.
    budget.take(writer.append(texts.join(',')) - counted);
    writer.mark();
    count++;
  };
  for (const access of plan.accesses) {
    if (count >= limit) break;
    if (access.kind === 'key') {
      const found = session.get(source, access.key);
      if (found) take(found);
      continue;
    }
    for (const stored of session.scan({
      table: source,
      prefix: access.prefix,
      lower: access.lower ?? undefined,
      upper: access.upper ?? undefined,
    })) {
      take(stored);
      if (count >= limit) break;
    }
  }
  const columns = plan.output.map(({ name, type, isKey }) => ({ name, type: printType(type), isKey }));
  return { columns, pages: writer.finish() };
}
