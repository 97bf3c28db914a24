// The columns that an expression can see: those of one source, or of a join with the left's before the right's, and the pseudo
// column ROWTIME. Indexes count over the plan node that these columns are the output of.
import { BIGINT, type DataType } from '../../core/data-type.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { ColumnRef, Name } from '../ast.js';
import { messages } from '../messages.js';
import type { SourceDefinition } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, unsupported } from '../sql-error.js';
import type { Context } from './context.js';
import { typed, type Typed } from './typed.js';

export interface ScopeSource {
  readonly alias: string;
  readonly definition: SourceDefinition;
  /** Index of its first column. */
  readonly offset: number;
}

/** Names that no column may take; all but ROWTIME are not there yet. */
export const pseudoColumns: ReadonlySet<string> = new Set([
  'ROWTIME',
  'ROWPARTITION',
  'ROWOFFSET',
  'WINDOWSTART',
  'WINDOWEND',
]);

export function isPseudoColumn(name: string): boolean {
  return pseudoColumns.has(name.toUpperCase());
}

export interface ExtraColumn {
  readonly name: string;
  readonly index: number;
  readonly type: DataType;
}

export class Scope {
  readonly context: Context;
  readonly sources: readonly ScopeSource[];
  /** A column of the node that belongs to no source: the key of a full outer join. */
  readonly extra: ExtraColumn | null;

  constructor(context: Context, sources: readonly ScopeSource[], extra: ExtraColumn | null = null) {
    this.context = context;
    this.sources = sources;
    this.extra = extra;
  }

  get joined(): boolean {
    return this.sources.length > 1;
  }

  source(name: Name): ScopeSource {
    const found = this.sources.find((source) => this.context.same(source.alias, name.text));
    if (found !== undefined) return found;
    const hint = didYouMean(
      name.text,
      this.sources.map((source) => source.alias),
    );
    throw invalidStatement(name.place, messages.unknownAlias(name.text), hint);
  }

  /** True when more than one source has a column of that name. */
  clashes(name: string): boolean {
    return this.#candidates(name, null).length > 1;
  }

  /** The column, ROWTIME, or an error that says where (`clause`) the name was used. */
  resolve(ref: ColumnRef, clause: string): Typed {
    const found = this.#candidates(ref.name.text, ref.source);
    if (found.length === 1) {
      const { source, index, type } = found[0]!;
      return typed({ kind: 'column', index: source.offset + index, type });
    }
    if (found.length > 1) throw this.#ambiguous(ref, found);
    if (ref.source === null && this.extra !== null && this.context.same(ref.name.text, this.extra.name)) {
      return typed({ kind: 'column', index: this.extra.index, type: this.extra.type });
    }
    if (isPseudoColumn(ref.name.text)) return this.#pseudo(ref);
    throw this.#unknown(ref, clause);
  }

  #candidates(name: string, qualifier: Name | null): { source: ScopeSource; index: number; type: DataType }[] {
    const found = [];
    for (const source of this.sources) {
      if (qualifier !== null && !this.context.same(source.alias, qualifier.text)) continue;
      const columns = source.definition.schema.columns;
      const index = this.context.columnIndex(columns, name);
      if (index >= 0) found.push({ source, index, type: columns[index]!.type });
    }
    return found;
  }

  #pseudo(ref: ColumnRef): Typed {
    const name = ref.name.text.toUpperCase();
    if (ref.source !== null) this.source(ref.source);
    if (name !== 'ROWTIME') throw unsupported(ref.place, `the pseudo column ${name}`);
    if (this.joined && ref.source !== null) {
      const hint = 'ROWTIME alone is that of the joined row';
      throw unsupported(ref.place, `the ROWTIME of one side of a join`, hint);
    }
    return typed({ kind: 'rowtime', type: BIGINT });
  }

  #ambiguous(ref: ColumnRef, found: readonly { source: ScopeSource; index: number }[]): Error {
    const names = found.map(({ source, index }) => `${source.alias}.${source.definition.schema.columns[index]!.name}`);
    return invalidStatement(
      ref.place,
      messages.ambiguousColumn(printExpression(ref), names, ref.place),
      `write ${names[0]!}`,
    );
  }

  #unknown(ref: ColumnRef, clause: string): Error {
    const text = printExpression(ref);
    const all = this.sources.flatMap((source) => source.definition.schema.columns.map((column) => column.name));
    const hint = didYouMean(ref.name.text, all);
    return invalidStatement(ref.place, messages.unknownColumn(clause, text, ref.place), hint);
  }
}
