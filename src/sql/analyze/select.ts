// The SELECT list: stars spelt out and every column given its name. An alias wins; a column keeps its own name, with its source
// before it where a join has two of that name; a field gives its name; all else is KSQL_COL_<n>.
import { bounds } from '../../core/bounds.js';
import type { Expression, Name, Query, SelectItem } from '../ast.js';
import { messages } from '../messages.js';
import { invalidStatement, tooLarge, type Place } from '../sql-error.js';
import { isOver } from './effort.js';
import { isPseudoColumn, type Scope, type ScopeSource } from './scope.js';
import type { DataType } from '../../core/data-type.js';

export interface SelectColumn {
  readonly name: string;
  readonly expression: Expression;
  readonly place: Place;
}

export interface SelectOptions {
  readonly scope: Scope;
  /** True for a sink, whose columns must not be called like a pseudo column. */
  readonly persistent: boolean;
  /** The type of an expression, for `s->*`. */
  readonly typeOf: (e: Expression) => DataType | null;
}

export function selectColumns(query: Query, options: SelectOptions): SelectColumn[] {
  const { scope } = options;
  const namer = new Namer(scope);
  const columns: SelectColumn[] = [];
  for (const item of query.select) {
    for (const column of expand(item, options, namer)) columns.push(column);
    if (isOver('sqlColumns', columns.length))
      throw tooLarge(item.place, `the SELECT has more than ${bounds.sqlColumns.value} columns`);
  }
  const names = new Set<string>();
  for (const column of columns) {
    const key = scope.context.nameKey(column.name);
    if (!names.has(key)) {
      names.add(key);
      continue;
    }
    const type = options.typeOf(column.expression) ?? ({ kind: 'STRING' } as const);
    throw invalidStatement(column.place, messages.duplicateColumns(column.name, type), 'give one of them an alias');
  }
  return columns;
}

function expand(item: SelectItem, options: SelectOptions, namer: Namer): SelectColumn[] {
  const { scope } = options;
  switch (item.kind) {
    case 'star': {
      const sources = item.source === null ? scope.sources : [scope.source(item.source)];
      const columns = sources.flatMap((source) => starColumns(source, item.place, scope));
      if (item.source !== null || scope.extra === null) return columns;
      const name = madeName(scope.extra.name, item.place);
      return [{ name: name.text, expression: columnRef(null, name), place: item.place }, ...columns];
    }
    case 'struct-star': {
      const type = options.typeOf(item.base);
      if (type?.kind !== 'STRUCT') {
        throw invalidStatement(item.place, 'only a STRUCT can be selected with ->*');
      }
      return type.fields.map((field) => {
        const name = madeName(field.name, item.place);
        return {
          name: field.name,
          expression: { kind: 'field', base: item.base, name, place: item.place },
          place: item.place,
        };
      });
    }
    case 'item': {
      const name = item.alias?.text ?? namer.name(item.expression);
      if (options.persistent) checkName(name, item);
      return [{ name, expression: item.expression, place: item.expression.place }];
    }
  }
}

/** In a join every column of a star carries its source's name, as in ksqlDB. */
function starColumns(source: ScopeSource, place: Place, scope: Scope): SelectColumn[] {
  return source.definition.schema.columns.map((column) => ({
    name: scope.joined ? `${source.alias}_${column.name}` : column.name,
    expression: columnRef(madeName(source.alias, place), madeName(column.name, place)),
    place,
  }));
}

function columnRef(source: Name | null, name: Name): Expression {
  return { kind: 'column', source, name, place: name.place };
}

function madeName(text: string, place: Place): Name {
  return { kind: 'name', text, quoted: false, place };
}

function checkName(name: string, item: SelectItem & { kind: 'item' }): void {
  if (!isPseudoColumn(name)) return;
  const message = item.alias === null ? messages.reservedInSelect(name) : messages.reservedColumn(name);
  throw invalidStatement((item.alias ?? item).place, message);
}

/** Names for what has no alias. */
class Namer {
  readonly #scope: Scope;
  readonly #fields = new Map<string, number>();
  #next = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  name(e: Expression): string {
    if (e.kind === 'column') return this.#columnName(e);
    if (e.kind === 'field') return this.#fieldName(e.name.text);
    for (;;) {
      const name = `KSQL_COL_${this.#next++}`;
      if (!this.#taken(name)) return name;
    }
  }

  #columnName(e: Expression & { kind: 'column' }): string {
    for (const source of this.#scope.sources) {
      if (e.source !== null && !this.#scope.context.same(source.alias, e.source.text)) continue;
      const { columns } = source.definition.schema;
      const column = columns[this.#scope.context.columnIndex(columns, e.name.text)];
      if (column === undefined) continue;
      return this.#scope.clashes(column.name) ? `${source.alias}_${column.name}` : column.name;
    }
    return this.#scope.extra !== null || !isPseudoColumn(e.name.text) ? e.name.text : e.name.text.toUpperCase();
  }

  /** B, then B_1, B_2: also where a column of the source is called B. */
  #fieldName(name: string): string {
    let n = this.#fields.get(name) ?? (this.#taken(name) ? 1 : 0);
    while (n > 0 && this.#taken(`${name}_${n}`)) n++;
    this.#fields.set(name, n + 1);
    return n === 0 ? name : `${name}_${n}`;
  }

  #taken(name: string): boolean {
    const { context, sources } = this.#scope;
    return sources.some(({ definition }) => context.columnIndex(definition.schema.columns, name) >= 0);
  }
}
