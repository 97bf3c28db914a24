// GROUP BY and aggregate calls. Expressions above the aggregation see its output: a part that equals a grouping expression is
// that column, an aggregate call is a column behind them, and any other column of the input is an error.
import { printType } from '../../core/data-type.js';
import type { Expression, Query } from '../ast.js';
import { findAggregate } from '../functions/aggregates.js';
import { messages } from '../messages.js';
import type { AggregateCall, Expr } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, unsupported } from '../sql-error.js';
import { planSize, step } from './effort.js';
import type { Environment } from './environment.js';
import { analyzeExpression } from './expression.js';
import type { From } from './from.js';
import { exprKey, typed, type Typed } from './typed.js';
import { someExpression } from './walk.js';

export function isAggregateCall(e: Expression): boolean {
  return e.kind === 'call' && findAggregate(e.name.text) !== undefined;
}

export function hasAggregate(e: Expression): boolean {
  return someExpression(e, isAggregateCall);
}

/** The names of aggregate functions used without GROUP BY, for the error. */
export function aggregatesUsed(query: Query): string[] {
  const names = new Set<string>();
  const collect = (e: Expression): boolean => {
    if (e.kind === 'call' && isAggregateCall(e)) names.add(e.name.text.toUpperCase());
    return false;
  };
  for (const item of query.select) if (item.kind === 'item') someExpression(item.expression, collect);
  if (query.having !== null) someExpression(query.having, collect);
  return [...names];
}

export class Aggregation {
  readonly groupBy: readonly Expr[];
  /** Names of the group's columns, as errors and EXPLAIN show them. */
  readonly names: readonly string[];
  readonly #keys: readonly string[];
  readonly #calls: AggregateCall[] = [];
  readonly #callKeys = new Map<string, number>();
  readonly #from: From;
  #ungrouped: Expression[] = [];

  constructor(query: Query, from: From) {
    this.#from = from;
    // A push query may aggregate without GROUP BY: all rows are one group.
    const expressions = query.groupBy?.expressions ?? [];
    if (query.groupBy !== null && expressions.length === 0) {
      throw invalidStatement(query.groupBy.place, 'GROUP BY requires at least one expression');
    }
    const keys: string[] = [];
    this.groupBy = expressions.map((e) => {
      const { expr, type } = analyzeExpression(e, this.#inputEnvironment('GROUP BY'));
      if (type === null) throw invalidStatement(e.place, messages.nullType);
      const key = exprKey(expr);
      if (keys.includes(key)) throw invalidStatement(e.place, messages.duplicateGroup(printExpression(e)));
      keys.push(key);
      return expr;
    });
    this.#keys = keys;
    this.names = expressions.map((e, i) => (e.kind === 'column' ? e.name.text : `GROUP_${i}`));
  }

  get calls(): readonly AggregateCall[] {
    return this.#calls;
  }

  /** Analyses an expression over the aggregation's output; the second is false when it uses columns that are not grouped. */
  analyze(e: Expression, clause: 'SELECT' | 'HAVING', analyze = analyzeExpression): { typed: Typed; grouped: boolean } {
    this.#ungrouped = [];
    const env: Environment = {
      ...this.#inputEnvironment(clause),
      column: (ref) => {
        this.#ungrouped.push(ref);
        return this.#from.scope.resolve(ref, clause);
      },
      intercept: (part) => this.#intercept(part, clause),
    };
    const result = analyze(e, env);
    return { typed: result, grouped: this.#ungrouped.length === 0 };
  }

  #inputEnvironment(clause: string): Environment {
    const { scope } = this.#from;
    return { clause, strict: scope.context.strict, column: (ref) => scope.resolve(ref, clause) };
  }

  #intercept(e: Expression, clause: string): Typed | null {
    if (e.kind === 'call' && isAggregateCall(e)) return this.#aggregate(e, clause);
    if (e.kind === 'null' || hasAggregate(e)) return null;
    const { expr } = analyzeExpression(e, this.#inputEnvironment(clause));
    step(e.place, planSize(expr));
    const index = this.#keys.indexOf(exprKey(expr));
    return index < 0 ? null : typed({ kind: 'column', index, type: this.groupBy[index]!.type });
  }

  #aggregate(e: Expression & { kind: 'call' }, clause: string): Typed {
    if (e.args.some(hasAggregate)) throw invalidStatement(e.place, messages.nestedAggregate(printExpression(e)));
    const name = e.name.text.toUpperCase();
    const fn = findAggregate(name)!;
    if (this.#from.scope.context.strict && fn.streamOnlyInKsql && this.#from.resultKind === 'table') {
      throw invalidStatement(
        e.place,
        `The aggregation function(s) (${name}) cannot be applied to a table source, only to a stream source.`,
      );
    }
    const args = e.args.map((arg) => {
      const { expr, type } = analyzeExpression(arg, this.#inputEnvironment(clause));
      if (type === null) throw invalidStatement(arg.place, messages.nullType);
      return expr;
    });
    const type = e.star && name !== 'COUNT' ? null : fn.resolve(args.map((arg) => arg.type));
    if (type === null) {
      const types = args.map((arg) => printType(arg.type));
      throw invalidStatement(e.place, messages.noOverload(name, types, fn.signatures));
    }
    const call: AggregateCall = { name, args, type };
    const key = `${name} ${args.map(exprKey).join()}`;
    let index = this.#callKeys.get(key);
    if (index === undefined) {
      index = this.#calls.push(call) - 1;
      this.#callKeys.set(key, index);
    }
    return typed({ kind: 'column', index: this.groupBy.length + index, type });
  }
}

/** Clauses about windows, which the plan has no nodes for. */
export function refuseWindow(query: Query): void {
  if (query.window === null) return;
  if (query.groupBy === null) throw invalidStatement(query.window.place, messages.windowWithoutGroup);
  throw unsupported(query.window.place, 'WINDOW');
}
