// Expressions and types as canonical SQL text: operators in parentheses, keywords in upper case, names as they are written.
// It is also how errors show an expression, in ksqlDB's manner: `(ID = 'a')`, `CAST(X AS STRING)`.
import type { Expression, Name, TypeNode } from '../ast.js';
import { unreachable } from '../../core/errors.js';

export function printName(name: Name): string {
  return name.quoted ? `\`${name.text.replaceAll('`', '``')}\`` : name.text;
}

export function printString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function printExpression(e: Expression): string {
  switch (e.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(e.value);
    case 'string':
      return printString(e.value);
    case 'integer':
    case 'decimal':
    case 'double':
      return e.text;
    case 'column':
      return e.source === null ? printName(e.name) : `${printName(e.source)}.${printName(e.name)}`;
    case 'unary':
      return printUnary(e);
    case 'binary':
    case 'compare':
    case 'logical':
      return `(${printExpression(e.left)} ${e.op} ${printExpression(e.right)})`;
    case 'not':
      return `(NOT ${printExpression(e.arg)})`;
    case 'between':
      return `(${printExpression(e.arg)} ${not(e)}BETWEEN ${printExpression(e.lower)} AND ${printExpression(e.upper)})`;
    case 'in':
      return `(${printExpression(e.arg)} ${not(e)}IN (${printList(e.list)}))`;
    case 'like': {
      const escape = e.escape === null ? '' : ` ESCAPE ${printString(e.escape)}`;
      return `(${printExpression(e.arg)} ${not(e)}LIKE ${printExpression(e.pattern)}${escape})`;
    }
    case 'is-null':
      return `(${printExpression(e.arg)} IS ${not(e)}NULL)`;
    case 'case':
      return printCase(e);
    case 'cast':
      return `CAST(${printExpression(e.arg)} AS ${printTypeNode(e.type)})`;
    case 'typed-literal':
      return `${printName(e.type)} ${printString(e.text)}`;
    case 'call':
      return `${printName(e.name)}(${e.star ? '*' : printList(e.args)})`;
    case 'lambda': {
      const params = e.params.map(printName).join(', ');
      return `${e.params.length === 1 ? params : `(${params})`} => ${printExpression(e.body)}`;
    }
    case 'array':
      return `ARRAY[${printList(e.items)}]`;
    case 'map':
      return `MAP(${e.entries.map(({ key, value }) => `${printExpression(key)}:=${printExpression(value)}`).join(', ')})`;
    case 'struct':
      return `STRUCT(${e.fields.map((f) => `${printName(f.name)}:=${printExpression(f.value)}`).join(', ')})`;
    case 'subscript':
      return `${printBase(e.base)}[${printExpression(e.index)}]`;
    case 'field':
      return `${printBase(e.base)}->${printName(e.name)}`;
    default:
      return unreachable(e);
  }
}

function not(e: { readonly negated: boolean }): string {
  return e.negated ? 'NOT ' : '';
}

function printList(expressions: readonly Expression[]): string {
  return expressions.map(printExpression).join(', ');
}

/** What stands before [..] and ->: a sign would otherwise take the whole. */
export function printBase(e: Expression): string {
  return e.kind === 'unary' ? `(${printExpression(e)})` : printExpression(e);
}

function printUnary(e: Expression & { kind: 'unary' }): string {
  const arg = printExpression(e.arg);
  // `-5` would be a literal and `--` a comment.
  if (e.op === '-' && /^[\d.]/.test(arg)) return `-(${arg})`;
  return `${e.op}${/^[-+]/.test(arg) ? ' ' : ''}${arg}`;
}

function printCase(e: Expression & { kind: 'case' }): string {
  const operand = e.operand === null ? '' : ` ${printExpression(e.operand)}`;
  const whens = e.whens.map((w) => ` WHEN ${printExpression(w.condition)} THEN ${printExpression(w.result)}`).join('');
  const otherwise = e.otherwise === null ? '' : ` ELSE ${printExpression(e.otherwise)}`;
  return `(CASE${operand}${whens}${otherwise} END)`;
}

export function printTypeNode(type: TypeNode): string {
  switch (type.kind) {
    case 'named-type':
      return `${printName(type.name)}${type.params.length === 0 ? '' : `(${type.params.join(', ')})`}`;
    case 'array-type':
      return `ARRAY<${printTypeNode(type.element)}>`;
    case 'map-type':
      return `MAP<${printTypeNode(type.key)}, ${printTypeNode(type.value)}>`;
    case 'struct-type':
      return `STRUCT<${type.fields.map((f) => `${printName(f.name)} ${printTypeNode(f.type)}`).join(', ')}>`;
    default:
      return unreachable(type);
  }
}
