// A captured table gets other columns, in the engine's open transaction, and with it everything that is derived from it. Columns that are
// carried over keep their values, also in derived tables; a new column of the table is a new column of what selects `*` from it, and NULL
// in both until it is written. So nothing is derived anew, and a derived table is at every seq what its query makes of its sources.
//
// A query that cannot go on like that stands still alone, with what reads it, and says why: its statement names a column that is gone, it
// computes with one whose values are not carried over, or what its operators keep has another form.
import { tableSpec, type QueryEntry, type SourceEntry } from '../catalog/catalog.js';
import type { RowSchema } from '../core/data-type.js';
import { AppError, toAppError, toErrorMessage } from '../core/errors.js';
import type { KeyedState, KeyedStateSpec } from '../core/keyed-state.js';
import { nameKey } from '../core/names.js';
import { carriedColumns, sameKey, sameSchema } from '../core/schema-change.js';
import { compileTopology } from '../dataflow/topology.js';
import type { QueryPlan } from '../sql/plan.js';
import type { Frontier } from '../store/state-store.js';
import type { ApplierEnv } from './applier-env.js';
import { usedColumns, useOf } from './column-uses.js';
import { queryMeaning, queryPlan } from './query-sources.js';
import { registerSinkSchemas } from './sink-schemas.js';

interface Change {
  readonly from: RowSchema;
  readonly to: RowSchema;
}

type Meaning = ReturnType<typeof queryMeaning>;

export class SchemaChanges {
  readonly #env: ApplierEnv;

  constructor(env: ApplierEnv) {
    this.#env = env;
  }

  /** `next` is the entry as it shall be, with the columns of `schema`; `what` names the table for messages. Its key is the same. */
  alter(entry: SourceEntry, next: SourceEntry, reached: Frontier, what: string): void {
    this.#change(entry, next, reached, what, (from) => this.#alterTable(from, next, reached.seq));
  }

  /**
   * The same for another key: its rows go, one by one, so that what reads it sees them go, and the table is another one from then on;
   * whoever subscribes to it begins anew.
   */
  replace(entry: SourceEntry, next: SourceEntry, reached: Frontier, what: string): void {
    this.#empty(entry);
    this.#change(entry, next, reached, what, (from) => this.#replaceTable(from, next));
  }

  #change(
    entry: SourceEntry,
    next: SourceEntry,
    reached: Frontier,
    what: string,
    apply: (entry: SourceEntry) => SourceEntry,
  ): void {
    const { catalog, runtime, builder } = this.#env;
    const before = this.#plans();
    const changed = new Map<string, Change>([[nameKey(entry.name), { from: entry.schema, to: next.schema }]]);
    // A version that is being built has the columns of before.
    if (builder.isBuilding(entry.name, 'rebuild')) builder.forget(entry.name);
    catalog.putSource(apply(entry));
    for (const query of catalog.queries()) {
      const plan = before.get(query.id);
      if (plan === undefined || !plan.sources.some((source) => changed.has(nameKey(source)))) continue;
      if (catalog.query(query.id)!.state.kind === 'failed') continue;
      const follows = this.#follow(query, plan, changed, reached, what);
      if (follows) changed.set(nameKey(query.sink), follows);
    }
    // Everything that runs was compiled for the columns of before.
    runtime.load();
    builder.load();
    this.#env.visibility.refresh();
  }

  /** Of all queries whose statement means something before the change. */
  #plans(): ReadonlyMap<string, QueryPlan> {
    const { catalog } = this.#env;
    return new Map(
      catalog
        .queries()
        .filter(({ state }) => state.kind === 'running' || state.kind === 'paused')
        .map((query) => [query.id, queryPlan(catalog, query)]),
    );
  }

  /** What becomes of the query's sink; undefined: it stays as it is. */
  #follow(
    query: QueryEntry,
    before: QueryPlan,
    changed: ReadonlyMap<string, Change>,
    reached: Frontier,
    what: string,
  ): Change | undefined {
    const { catalog, builder, registry } = this.#env;
    const sink = catalog.find(query.sink)!;
    let meaning: Meaning;
    try {
      meaning = queryMeaning(catalog, query);
    } catch (error) {
      this.#stop(query, reached, what, toAppError(error).message);
      return undefined;
    }
    const reason = whyNot(query, before, meaning, changed, sink);
    if (reason !== undefined) {
      this.#stop(query, reached, what, reason);
      return undefined;
    }
    if (sameSchema(sink.schema, meaning.schema)) return undefined;
    if (builder.isBuilding(sink.name, 'rebuild')) builder.forget(sink.name);
    const { properties } = sink;
    const form = { schema: meaning.schema, properties };
    const next = { ...sink, ...form, schemaIds: registerSinkSchemas(registry, form, { followsSource: true }) };
    catalog.putSource(sink.table === null ? next : this.#alterTable(sink, next, reached.seq));
    return { from: sink.schema, to: meaning.schema };
  }

  #alterTable(entry: SourceEntry, next: SourceEntry, seq: number): SourceEntry {
    const { state } = this.#env;
    const spec = state.alterTable(tableSpec(entry), next.schema);
    if (entry.visible) {
      state.publish(spec);
      state.feedSchema(spec, seq);
    }
    return { ...next, table: { ...entry.table!, stored: spec.stored } };
  }

  #replaceTable(entry: SourceEntry, next: SourceEntry): SourceEntry {
    const { state, catalog } = this.#env;
    if (entry.visible) state.unpublish(entry.name);
    state.dropTable(tableSpec(entry));
    const replaced = { ...next, table: { id: catalog.nextTableId(), version: 1 } };
    state.createTable(tableSpec(replaced));
    if (replaced.visible) state.publish(tableSpec(replaced));
    return replaced;
  }

  #empty({ name }: SourceEntry): void {
    const node = this.#env.runtime.table(name);
    for (;;) {
      const rows = node.writer.scan(null, 1000);
      if (rows.length === 0) return;
      for (const { row } of rows) node.set(node.keyOf(row), null);
    }
  }

  #stop(query: QueryEntry, reached: Frontier, what: string, reason: string): void {
    const { runtime, builder } = this.#env;
    const error = new AppError('detached', `${query.sink} cannot follow the change of ${what}: ${reason}`, {
      hint: `drop ${query.sink} and create it again over the columns as they are now, or \`writethrough rebuild ${query.sink}\` where only types have changed`,
    });
    const failed = { kind: 'failed', atSeq: reached.seq, error: toErrorMessage(error) } as const;
    builder.abandon(runtime.stopQueries([query.id], reached, failed));
  }
}

/** Undefined: the query goes on. */
function whyNot(
  query: QueryEntry,
  before: QueryPlan,
  { plan, schema }: Meaning,
  changed: ReadonlyMap<string, Change>,
  sink: SourceEntry,
): string | undefined {
  if (!sameKey(sink.schema, schema)) return 'its key would be another one';
  const used = usedColumns(plan.root);
  for (const source of plan.sources) {
    const change = changed.get(nameKey(source));
    if (change === undefined) continue;
    const carried = carriedColumns(change.from.columns, change.to.columns);
    const lost = change.to.columns.find(
      ({ name }, i) =>
        carried[i]! < 0 && change.from.columns.some((each) => each.name === name) && used.has(useOf(source, name)),
    );
    if (lost) return `it computes with column ${lost.name} of ${source}, whose type is another one now`;
  }
  if (stateForms(query, before) !== stateForms(query, plan)) return 'what its operators keep has another form now';
  // Of two computed columns with one name the second may be of another type: then its values are not those that are there.
  const kept = carriedColumns(sink.schema.columns, schema.columns);
  const computed = new Set(computedColumns(plan));
  const recomputed = schema.columns.find(({ name }, i) => kept[i]! < 0 && computed.has(name));
  return recomputed && `its column ${recomputed.name} would have another type`;
}

/** Names of result columns that are not columns of a source. */
function computedColumns({ root }: QueryPlan): readonly string[] {
  if (root.kind === 'aggregate') return root.schema.columns.map(({ name }) => name);
  if (root.kind !== 'project') return [];
  return root.schema.columns.filter((_, i) => root.columns[i]!.kind !== 'column').map(({ name }) => name);
}

const unusedState: KeyedState = { get: () => undefined, put: () => {}, delete: () => {}, scan: () => [] };

/** The operator states of a plan: two that agree can be run over the same states. */
function stateForms({ number, strict }: QueryEntry, plan: QueryPlan): string {
  const forms: KeyedStateSpec[] = [];
  compileTopology(plan, {
    queryId: String(number),
    state: (spec) => {
      forms.push(spec);
      return unusedState;
    },
    lookup: () => undefined,
    rowtime: () => undefined,
    onError: () => {},
    strict,
  });
  return JSON.stringify(forms);
}
