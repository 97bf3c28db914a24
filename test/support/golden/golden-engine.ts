// A whole database in process for golden files: statements through parser and analyser, queries as topologies over tables in
// memory, pulls through the compiled evaluator. Changes run as in the engine: a table is written, then its readers are called
// in creation order, each to the end.
import { compareRows, compareValues } from '../../../src/core/compare.js';
import type { Column, Row, RowSchema, Value } from '../../../src/core/data-type.js';
import { compileExpression, compilePredicate } from '../../../src/dataflow/expression/compile.js';
import { compileTopology, type Topology } from '../../../src/dataflow/topology.js';
import type { Change } from '../../../src/dataflow/change.js';
import { coerceJson } from '../../../src/schema/formats/json-coerce.js';
import { parseJson, type JsonNode } from '../../../src/schema/formats/json-parse.js';
import { valuePrinter } from '../../../src/schema/formats/row-printer.js';
import { analyzeStatement } from '../../../src/sql/analyze/statement.js';
import { parseStatements } from '../../../src/sql/parser/parse.js';
import type {
  CatalogView,
  PullAccess,
  PullPlan,
  QueryPlan,
  SourceDefinition,
  Statement,
} from '../../../src/sql/plan.js';
import { MemoryStates } from '../memory-state.js';
import { MemoryTable } from '../plans.js';
import type { GoldenRecord } from './golden-file.js';

interface Running {
  readonly sink: string;
  readonly topology: Topology;
}

interface Source {
  readonly definition: SourceDefinition;
  /** Null for a stream. */
  readonly table: MemoryTable | null;
  readonly readers: Running[];
  /** What happened to it since somebody looked. */
  changes: string[];
}

export class GoldenEngine implements CatalogView {
  readonly #sources = new Map<string, Source>();
  #queries = 0;
  readonly #strict: boolean;

  constructor(strict = false) {
    this.#strict = strict;
  }

  find(name: string): SourceDefinition | undefined {
    return this.#sources.get(name.toUpperCase())?.definition;
  }

  all(): readonly SourceDefinition[] {
    return [...this.#sources.values()].map(({ definition }) => definition);
  }

  #source(name: string): Source {
    const source = this.#sources.get(name.toUpperCase());
    if (source === undefined) throw new Error(`the golden file has no stream or table ${name}`);
    return source;
  }

  /** Runs statements that must be accepted. */
  execute(sql: string): void {
    for (const statement of this.#analyzed(sql)) this.#apply(statement);
  }

  *#analyzed(sql: string): Generator<Statement> {
    const options = {
      strict: this.#strict,
      defaults: { keyFormat: 'JSON', valueFormat: 'JSON', partitions: 1 },
    } as const;
    for (const parsed of parseStatements(sql)) yield analyzeStatement(parsed, this, options);
  }

  #apply(statement: Statement): void {
    switch (statement.kind) {
      case 'create-source':
        this.#define({ ...statement, writtenBy: null });
        break;
      case 'create-as': {
        const writtenBy = `q${++this.#queries}`;
        this.#define({ ...statement, readOnly: false, writtenBy });
        this.#start(statement.plan, statement.name);
        break;
      }
      case 'insert-values':
        this.#write(this.#source(statement.target), statement.row, statement.row, statement.rowtime ?? 0);
        break;
      default:
        throw new Error(`golden files do not run ${statement.kind}`);
    }
  }

  #define({ name, sourceKind, schema, properties, writtenBy, readOnly }: SourceDefinition): void {
    this.#sources.set(name.toUpperCase(), {
      definition: { name, sourceKind, schema, properties, writtenBy, readOnly },
      table: sourceKind === 'table' ? new MemoryTable(schema) : null,
      readers: [],
      changes: [],
    });
  }

  #start(plan: QueryPlan, sink: string): void {
    const topology = compileTopology(plan, {
      queryId: String(this.#queries),
      state: new MemoryStates().open,
      lookup: (source, key) => this.#source(source).table!.get(key),
      rowtime: (source, key) => this.#source(source).table!.rowtime(key),
      onError: () => {},
      strict: this.#strict,
    });
    const running = { sink, topology };
    for (const name of new Set(plan.sources)) {
      const { table, readers } = this.#source(name);
      for (const row of table?.rows() ?? []) {
        this.#run(running, name, { before: null, after: row, rowtimeMs: table!.rowtime(table!.keyOf(row))! });
      }
      readers.push(running);
    }
  }

  ingest(name: string, records: readonly GoldenRecord[]): void {
    const source = this.#source(name);
    const { schema } = source.definition;
    for (const { key, value, rowtimeMs } of records) {
      const row = decodeKey(schema, key);
      if (value !== null) decodeValue(schema, value, row);
      this.#write(source, row, value === null ? null : row, rowtimeMs);
    }
  }

  /** `holder` has the key; `after` null deletes. */
  #write(source: Source, holder: Row, after: Row | null, rowtimeMs: number): void {
    const { table, definition } = source;
    const { name, schema } = definition;
    if (table === null) {
      if (after === null) return;
      source.changes.push(`fact ${printRow(schema.columns, after)}`);
      this.#tell(source, name, { before: null, after, rowtimeMs });
      return;
    }
    const key = table.keyOf(holder);
    const before = table.get(key) ?? null;
    const beforeRowtimeMs = table.rowtime(key);
    if (before === null && after === null) return;
    if (after === null) table.delete(key);
    else table.put(after, rowtimeMs);
    const keyColumns = schema.keyColumns.map((i) => schema.columns[i]!);
    source.changes.push(
      after === null ? `delete ${printRow(keyColumns, key)}` : `set ${printRow(schema.columns, after)}`,
    );
    this.#tell(source, name, { before, after, rowtimeMs, beforeRowtimeMs });
  }

  #tell(source: Source, name: string, change: Change): void {
    for (const reader of source.readers) this.#run(reader, name, change);
  }

  #run({ sink, topology }: Running, source: string, change: Change): void {
    const target = this.#source(sink);
    topology.accept(source, change, (output) => {
      this.#write(target, (output.after ?? output.before)!, output.after, output.rowtimeMs);
    });
  }

  changes(name: string): readonly string[] {
    const source = this.#source(name);
    const { changes } = source;
    source.changes = [];
    return changes;
  }

  query(sql: string): readonly string[] {
    const statements = [...this.#analyzed(sql)];
    const [statement] = statements;
    if (statements.length !== 1 || statement?.kind !== 'pull')
      throw new Error('a query step is one SELECT without EMIT CHANGES');
    return this.#pull(statement.plan);
  }

  #pull(plan: PullPlan): readonly string[] {
    const { table } = this.#source(plan.source);
    if (table === null) throw new Error('golden files do not pull from streams; `changes` shows their facts');
    const options = { onError: () => {}, comparisonWithNull: this.#strict ? (false as const) : null };
    const predicate = plan.predicate === null ? () => true : compilePredicate(plan.predicate, options);
    const columns = plan.columns.map((column) => compileExpression(column, options));
    const found: string[] = [];
    for (const row of table.rows()) {
      if (found.length === plan.limit) break;
      const key = table.keyOf(row);
      const rowtimeMs = table.rowtime(key)!;
      if (!plan.accesses.some((access) => covers(access, key)) || !predicate(row, rowtimeMs)) continue;
      found.push(
        printRow(
          plan.output,
          columns.map((column) => column(row, rowtimeMs)),
        ),
      );
    }
    return found;
  }
}

/** Whether an access path leads to a key. */
function covers(access: PullAccess, key: Row): boolean {
  if (access.kind === 'key') return compareRows(access.key, key) === 0;
  const { prefix, lower, upper } = access;
  if (compareRows(prefix, key.slice(0, prefix.length)) !== 0) return false;
  const next = key[prefix.length] ?? null;
  const above = lower === null ? 1 : compareValues(next, lower.value);
  const below = upper === null ? -1 : compareValues(next, upper.value);
  return (above > 0 || (above === 0 && lower!.inclusive)) && (below < 0 || (below === 0 && upper!.inclusive));
}

function decodeKey(schema: RowSchema, text: string): Value[] {
  const row: Value[] = schema.columns.map(() => null);
  const parts = schema.keyColumns.length > 1 ? text.split(',') : [text];
  for (const [i, column] of schema.keyColumns.entries()) {
    const { name, type } = schema.columns[column]!;
    const part = parts[i] ?? '';
    row[column] = coerceJson(name, type, type.kind === 'STRING' ? part : parseJson(part));
  }
  return row;
}

function decodeValue(schema: RowSchema, text: string, row: Value[]): void {
  const fields = parseJson(text) as ReadonlyMap<string, JsonNode>;
  for (const [field, node] of fields) {
    const index = schema.columns.findIndex((column) => column.name.toUpperCase() === field.toUpperCase());
    if (index < 0) throw new Error(`the record has a field ${field}, the table no such column`);
    const { name, type } = schema.columns[index]!;
    row[index] = coerceJson(name, type, node);
  }
}

function printRow(columns: readonly Column[], row: Row): string {
  return columns
    .map(({ name, type }, i) => `${name}=${valuePrinter(type, { numbers: 'literals' })(row[i]!)}`)
    .join(' ');
}
