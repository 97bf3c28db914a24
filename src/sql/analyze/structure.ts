// Nested values: ARRAY[..], MAP(..), STRUCT(..), element and field access, as calls of functions/structure.ts.
import { INTEGER, printType, STRING } from '../../core/data-type.js';
import { sameName } from '../../core/names.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { Expression } from '../ast.js';
import { messages } from '../messages.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement } from '../sql-error.js';
import { inOneType, type CommonErrors } from './common.js';
import type { Analyze, Environment } from './environment.js';
import { coerce, literal, nullTypeName, typed, type Typed } from './typed.js';

export function arrayOf(e: Expression & { kind: 'array' }, inner: Analyze): Typed {
  if (e.items.length === 0) throw invalidStatement(e.place, messages.emptyArray);
  const common = inOneType(e.items, e.items.map(inner), itemErrors);
  if (common === null) throw invalidStatement(e.place, messages.nullArray);
  return typed({ kind: 'call', name: 'array', args: common.exprs, type: { kind: 'ARRAY', element: common.type } });
}

export function mapOf(e: Expression & { kind: 'map' }, inner: Analyze): Typed {
  const keyParts = e.entries.map((entry) => entry.key);
  const valueParts = e.entries.map((entry) => entry.value);
  const keys = inOneType(keyParts, keyParts.map(inner), itemErrors);
  const values = inOneType(valueParts, valueParts.map(inner), itemErrors);
  if (keys === null || values === null) throw invalidStatement(e.place, messages.nullMap);
  const args = keys.exprs.flatMap((key, i) => [key, values.exprs[i]!]);
  return typed({ kind: 'call', name: 'map', args, type: { kind: 'MAP', key: keys.type, value: values.type } });
}

const itemErrors: CommonErrors = {
  noOperator: (a, b, e) =>
    invalidStatement(e.place, `operator does not exist: ${printType(a)} = ${printType(b)} (${printExpression(e)})`),
  badText: (type, text, e) => invalidStatement(e.place, `invalid input syntax for type ${type.kind}: "${text}"`),
};

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
  const loose = (): number => type.fields.findIndex((field) => sameName(field.name, wanted));
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
