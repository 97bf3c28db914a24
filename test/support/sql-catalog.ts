// A catalogue for tests of the analyser, filled by running CREATE statements through it.
import { analyzeStatement, type AnalyzeOptions } from '../../src/sql/analyze/statement.js';
import { parseStatements } from '../../src/sql/parser/parse.js';
import type { CatalogView, SourceDefinition, Statement } from '../../src/sql/plan.js';

export const sqlOptions = (strict = false): AnalyzeOptions => ({
  strict,
  defaults: { keyFormat: 'JSON', valueFormat: 'JSON', partitions: 1 },
});

export class SqlCatalog implements CatalogView {
  readonly #sources: SourceDefinition[] = [];
  readonly #options: AnalyzeOptions;

  constructor(sql = '', options = sqlOptions()) {
    this.#options = options;
    for (const parsed of parseStatements(sql)) this.#add(analyzeStatement(parsed, this, options));
  }

  find(name: string): SourceDefinition | undefined {
    return this.#sources.find((source) => source.name.toLowerCase() === name.toLowerCase());
  }

  all(): readonly SourceDefinition[] {
    return this.#sources;
  }

  /** The last statement of the text, analysed; those before it are carried out on the catalogue. */
  analyze(sql: string): Statement {
    const statements = parseStatements(sql);
    for (const parsed of statements.slice(0, -1)) this.#add(analyzeStatement(parsed, this, this.#options));
    return analyzeStatement(statements.at(-1)!, this, this.#options);
  }

  #add(statement: Statement): void {
    if (statement.kind !== 'create-source' && statement.kind !== 'create-as') return;
    const { name, sourceKind, schema, properties } = statement;
    const derived = statement.kind === 'create-as';
    const writtenBy = derived ? `CTAS_${name}_1` : null;
    this.#sources.push({ name, sourceKind, schema, properties, writtenBy, readOnly: !derived && statement.readOnly });
  }
}
