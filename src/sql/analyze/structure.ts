// Nested values: ARRAY[..], MAP(..), STRUCT(..), element and field access, as calls of functions/structure.ts.
import { INTEGER, printType, STRING, type DataType } from '../../core/data-type.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { Expression } from '../ast.js';
import { commonType } from '../functions/common-type.js';
import { messages } from '../messages.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement } from '../sql-error.js';
import type { Analyze, Environment } from './environment.js';
import { coerce, literal, nullTypeName, typed, type Typed } from './typed.js';

export function arrayOf(e: Expression & { kind: 'array' }, inner: Analyze): Typed {
  if (e.items.length === 0) throw invalidStatement(e.place, messages.emptyArray);
  const items = e.items.map(inner);
  const element = sharedType(e.items, items);
  if (element === null) throw invalidStatement(e.place, messages.nullArray);
  const args = items.map((item) => coerce(item, element)!);
  return typed({ kind: 'call', name: 'array', args, type: { kind: 'ARRAY', element } });
}

export function mapOf(e: Expression & { kind: 'map' }, inner: Analyze): Typed {
  const keys = e.entries.map((entry) => inner(entry.key));
  const values = e.entries.map((entry) => inner(entry.value));
  const key = sharedType(
    e.entries.map((entry) => entry.key),
    keys,
  );
  const value = sharedType(
    e.entries.map((entry) => entry.value),
    values,
  );
  if (key === null || value === null) throw invalidStatement(e.place, messages.nullMap);
  const args = keys.flatMap((k, i) => [coerce(k, key)!, coerce(values[i]!, value)!]);
  return typed({ kind: 'call', name: 'map', args, type: { kind: 'MAP', key, value } });
}

/** The type that all items have; null when all are bare NULLs. */
function sharedType(expressions: readonly Expression[], items: readonly Typed[]): DataType | null {
  let shared: DataType | null = null;
  for (const [i, item] of items.entries()) {
    if (item.type === null) continue;
    const common: DataType | null = shared === null ? item.type : commonType(shared, item.type);
    if (common === null) {
      const message = `operator does not exist: ${printType(shared!)} = ${printType(item.type)} (${printExpression(expressions[i]!)})`;
      throw invalidStatement(expressions[i]!.place, message);
    }
    shared = common;
  }
  return shared;
}

export function structOf(e: Expression & { kind: 'struct' }, inner: Analyze): Typed {
  const names = new Set(e.fields.map((field) => field.name.text));
  if (names.size < e.fields.length) throw invalidStatement(e.place, messages.duplicateFields);
  const values = e.fields.map((field) => inner(field.value));
  const fields = e.fields.map((field, i) => {
    const { type } = values[i]!;
    if (type === null) throw invalidStatement(field.value.place, messages.nullType);
    return { name: field.name.text, type };
  });
  const args = values.map((value) => value.expr);
  return typed({ kind: 'call', name: 'struct', args, type: { kind: 'STRUCT', fields } });
}

export function subscriptOf(e: Expression & { kind: 'subscript' }, base: Typed, index: Typed): Typed {
  const { type } = base;
  if (type?.kind === 'ARRAY') {
    const at = index.type === null || index.type.kind === 'INTEGER' || index.type.kind === 'BIGINT';
    if (!at)
      throw invalidStatement(
        e.index.place,
        `an element of an array is chosen by INTEGER, not ${printType(index.type!)}`,
      );
    const args = [base.expr, coerce(index, INTEGER)!];
    return typed({ kind: 'call', name: '[]', args, type: type.element });
  }
  if (type?.kind === 'MAP') {
    if (index.type !== null && index.type.kind !== type.key.kind) {
      throw invalidStatement(
        e.index.place,
        `the keys of the map are ${printType(type.key)}, not ${printType(index.type)}`,
      );
    }
    const args = [base.expr, coerce(index, index.type === null ? STRING : type.key)!];
    return typed({ kind: 'call', name: '[]', args, type: type.value });
  }
  const name = type === null ? nullTypeName : printType(type);
  throw invalidStatement(e.place, `${printExpression(e.base)} is ${name}; only ARRAY and MAP have elements`);
}

export function fieldOf(e: Expression & { kind: 'field' }, base: Typed, env: Environment): Typed {
  const { type } = base;
  if (type?.kind !== 'STRUCT') {
    const name = type === null ? nullTypeName : printType(type);
    throw invalidStatement(e.place, `${printExpression(e.base)} is ${name}; only STRUCT has fields`);
  }
  const wanted = e.name.text;
  const exact = type.fields.findIndex((field) => field.name === wanted);
  const loose = (): number => type.fields.findIndex((field) => field.name.toLowerCase() === wanted.toLowerCase());
  const index = exact >= 0 || env.strict ? exact : loose();
  if (index < 0) {
    const hint = didYouMean(
      wanted,
      type.fields.map((field) => field.name),
    );
    throw invalidStatement(e.name.place, `unknown field "${wanted}" of ${printExpression(e.base)}`, hint);
  }
  const args = [base.expr, literal(index, INTEGER)];
  return typed({ kind: 'call', name: '->', args, type: type.fields[index]!.type });
}
