// Type names to types. VARCHAR is STRING and INT is INTEGER; lengths are accepted and ignored, as in ksqlDB; the digits of
// TIME and TIMESTAMP say whether ms or µs travel.
import { bounds } from '../../core/bounds.js';
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, INTEGER, STRING, type DataType } from '../../core/data-type.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { TypeNode } from '../ast.js';
import { messages } from '../messages.js';
import { printTypeNode } from '../print/expression.js';
import { invalidStatement } from '../sql-error.js';
import { isOver } from './effort.js';

const baseTypes: ReadonlyMap<string, DataType> = new Map<string, DataType>([
  ['BOOLEAN', BOOLEAN],
  ['INTEGER', INTEGER],
  ['INT', INTEGER],
  ['BIGINT', BIGINT],
  ['DOUBLE', DOUBLE],
  ['STRING', STRING],
  ['VARCHAR', STRING],
  ['BYTES', BYTES],
  ['DATE', DATE],
]);

export function dataType(node: TypeNode): DataType {
  switch (node.kind) {
    case 'array-type':
      return { kind: 'ARRAY', element: dataType(node.element) };
    case 'map-type':
      return { kind: 'MAP', key: dataType(node.key), value: dataType(node.value) };
    case 'struct-type': {
      const names = new Set(node.fields.map((field) => field.name.text));
      if (names.size < node.fields.length) throw invalidStatement(node.place, messages.duplicateFields);
      return { kind: 'STRUCT', fields: node.fields.map((f) => ({ name: f.name.text, type: dataType(f.type) })) };
    }
    case 'named-type':
      return namedType(node);
  }
}

function namedType(node: TypeNode & { kind: 'named-type' }): DataType {
  const name = node.name.text.toUpperCase();
  const base = baseTypes.get(name);
  if (base !== undefined) return base;
  if (name === 'DECIMAL' || name === 'DEC') return decimal(node);
  if (name === 'TIME' || name === 'TIMESTAMP') {
    const [digits = 3] = node.params;
    if (digits > 6) throw invalidStatement(node.place, `${name} has at most 6 digits after the second`);
    return { kind: name, digits: digits > 3 ? 6 : 3 };
  }
  const known = [...baseTypes.keys(), 'DECIMAL', 'TIME', 'TIMESTAMP', 'ARRAY', 'MAP', 'STRUCT'];
  const text = printTypeNode(node);
  throw invalidStatement(node.place, `Cannot resolve unknown type: ${text}`, didYouMean(node.name.text, known));
}

function decimal(node: TypeNode & { kind: 'named-type' }): DataType {
  const [precision, scale] = node.params;
  if (precision === undefined || scale === undefined) {
    throw invalidStatement(node.place, 'DECIMAL needs precision and scale', 'write DECIMAL(10, 2)');
  }
  if (precision < 1)
    throw invalidStatement(node.place, `DECIMAL precision must be >= 1: DECIMAL(${precision},${scale})`);
  if (isOver('decimalPrecision', precision)) {
    throw invalidStatement(
      node.place,
      `DECIMAL precision must be <= ${bounds.decimalPrecision.value}: DECIMAL(${precision},${scale})`,
    );
  }
  if (scale > precision) {
    throw invalidStatement(node.place, `DECIMAL precision must be >= scale: DECIMAL(${precision},${scale})`);
  }
  return { kind: 'DECIMAL', precision, scale };
}
