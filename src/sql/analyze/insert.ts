// INSERT INTO .. VALUES: one row, in the order of the target's columns, NULL where nothing is given.
import { BIGINT, printType, sameType, type Column, type DataType, type Value } from '../../core/data-type.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { Expression, Name, StatementNode } from '../ast.js';
import { castBody } from '../functions/cast.js';
import { commonType } from '../functions/common-type.js';
import { messages } from '../messages.js';
import type { SourceDefinition, Statement } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, type Place } from '../sql-error.js';
import { constantValue } from './constant.js';
import { unknownSource, type Context } from './context.js';
import type { Environment } from './environment.js';
import { analyzeExpression } from './expression.js';
import { isPseudoColumn } from './scope.js';
import { coerce } from './typed.js';

type InsertValues = StatementNode & { kind: 'insert-values' };

export function analyzeInsert(node: InsertValues, context: Context): Statement {
  const target = context.findSource(node.target.text);
  if (target === undefined) throw unknownSource(messages.insertUnknown(node.target.text), node.target, context);
  if (target.readOnly)
    throw invalidStatement(node.target.place, messages.insertReadOnly(target.sourceKind, target.name));
  const names = node.columns ?? target.schema.columns.map((column) => made(column.name, node.target.place));
  if (names.length !== node.values.length) {
    const expected = names.map((name) => `\`${name.text}\``).join(', ');
    const message = `Expected a value for each column. Expected Columns: [${expected}]. Got ${node.values.length} value${node.values.length === 1 ? '' : 's'}`;
    throw invalidStatement(node.place, message);
  }
  const row: Value[] = target.schema.columns.map(() => null);
  const given = new Set<number>();
  let rowtime: number | null = null;
  for (const [i, name] of names.entries()) {
    const value = node.values[i]!;
    const index = columnIndex(target, name, context);
    if (index === null) {
      rowtime = Number(valueFor(value, { name: 'ROWTIME', type: BIGINT }, context));
      continue;
    }
    if (given.has(index)) throw invalidStatement(name.place, `the column \`${name.text}\` is named twice`);
    given.add(index);
    row[index] = valueFor(value, target.schema.columns[index]!, context);
  }
  checkKey(target, row, node.place);
  return { kind: 'insert-values', target: target.name, rowtime, row };
}

function made(text: string, place: Place): Name {
  return { kind: 'name', text, quoted: false, place };
}

/** Null for ROWTIME. */
function columnIndex(target: SourceDefinition, name: Name, context: Context): number | null {
  const { columns } = target.schema;
  const index = context.columnIndex(columns, name.text);
  if (index >= 0) return index;
  if (name.text.toUpperCase() === 'ROWTIME') return null;
  if (isPseudoColumn(name.text)) throw invalidStatement(name.place, messages.insertReserved(name.text));
  const hint = didYouMean(
    name.text,
    columns.map((column) => column.name),
  );
  throw invalidStatement(name.place, `Column name \`${name.text}\` does not exist.`, hint);
}

function valueFor(e: Expression, column: Column, context: Context): Value {
  const env: Environment = {
    clause: 'VALUES',
    strict: context.strict,
    column: (ref) => {
      throw invalidStatement(
        ref.place,
        `a value cannot name a column: ${printExpression(ref)}`,
        'a text is written in single quotes',
      );
    },
  };
  const analyzed = analyzeExpression(e, env);
  const { type } = analyzed;
  const fits = type === null || isAssignable(type, column.type);
  const expr = fits ? coerce(analyzed, column.type) : null;
  if (expr === null) {
    throw invalidStatement(
      e.place,
      `Expected type ${printType(column.type)} for field \`${column.name}\` but got ${type === null ? 'null' : printType(type)}(${printExpression(e)})`,
    );
  }
  const value = constantValue(expr, e.place);
  if (type?.kind === 'DECIMAL' && column.type.kind === 'DECIMAL') {
    checkDigits(value, constantValue(analyzed.expr, e.place), type, column, e);
  }
  return value;
}

/** What VALUES converts by itself: numbers to wider ones, texts to dates and times. */
function isAssignable(from: DataType, to: DataType): boolean {
  if (sameType(from, to) || (from.kind === 'DECIMAL' && to.kind === 'DECIMAL')) return true;
  if (from.kind === 'STRING') return ['DATE', 'TIME', 'TIMESTAMP'].includes(to.kind);
  if (from.kind === 'DECIMAL' || to.kind === 'DECIMAL') {
    return to.kind === 'DOUBLE' || (to.kind === 'DECIMAL' && from.kind !== 'DOUBLE' && commonType(from, to) !== null);
  }
  if (from.kind === 'STRUCT' && to.kind === 'STRUCT') return castBody(from, to) !== null;
  const common = commonType(from, to);
  return common !== null && sameType(common, to);
}

/** Digits that the column has no room for are an error, not rounded away. */
function checkDigits(stored: Value, given: Value, type: DataType, column: Column, e: Expression): void {
  const back = castBody(column.type, type)!(stored);
  if (back === given || String(back as number | bigint) === String(given as number | bigint)) return;
  throw invalidStatement(
    e.place,
    `${printExpression(e)} has more digits than ${printType(column.type)} of \`${column.name}\` holds`,
  );
}

function checkKey(target: SourceDefinition, row: readonly Value[], place: Place): void {
  if (target.sourceKind === 'stream') return;
  const missing = target.schema.keyColumns.filter((i) => row[i] === null).map((i) => target.schema.columns[i]!.name);
  if (missing.length === 0) return;
  throw invalidStatement(
    place,
    `Failed to insert values into '${target.name}'. Value for primary key column(s) ${missing.join(', ')} is required for tables`,
  );
}
