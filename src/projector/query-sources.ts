// The meaning of a stored query: its statement analysed against the catalogue as it is, its own sink left out.
import type { Catalog, QueryEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { assert } from '../core/errors.js';
import type { AnalyzeOptions } from '../sql/analyze/context.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import type { CatalogView, QueryPlan, Statement } from '../sql/plan.js';
import { parseStatements } from '../sql/parser/parse.js';

/** `accepted`: of a statement that is in the log. */
export function analyzeOptions(strict: boolean, accepted = false): AnalyzeOptions {
  return { strict, accepted, defaults: { keyFormat: 'JSON', valueFormat: 'JSON', partitions: 1 } };
}

/** Throws what the analysis finds: the columns of what it reads may be others than when it was made. */
export function queryPlan(catalog: Catalog, query: QueryEntry): QueryPlan {
  return queryMeaning(catalog, query).plan;
}

export function queryMeaning(catalog: Catalog, query: QueryEntry): Extract<Statement, { kind: 'create-as' }> {
  const [parsed] = parseStatements(query.sql, { accepted: true });
  const statement = analyzeStatement(parsed!, viewWithout(catalog, query.sink), analyzeOptions(query.strict, true));
  assert(statement.kind === 'create-as', `query ${query.id} is a ${statement.kind}`);
  return statement;
}

/** Names as defined. Read from the text alone, so that they are known of a query whose columns are gone, too. */
export function querySources(catalog: Catalog, query: QueryEntry): readonly string[] {
  const [parsed] = parseStatements(query.sql, { accepted: true });
  const { ast } = parsed!;
  assert(ast.kind === 'create-as', `query ${query.id} is a ${ast.kind}`);
  const { from, joins } = ast.query;
  return [from, ...joins.map(({ source }) => source)].map(({ name }) => catalog.find(name.text)?.name ?? name.text);
}

function viewWithout(catalog: Catalog, name: string): CatalogView {
  const hidden = nameKey(name);
  return {
    find: (wanted) => (nameKey(wanted) === hidden ? undefined : catalog.find(wanted)),
    all: () => catalog.all().filter((entry) => nameKey(entry.name) !== hidden),
  };
}
