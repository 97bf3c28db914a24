// What a format can hold. Keys must be comparable byte by byte, so maps have no place in them.
import { printType, type Column, type DataType } from '../../core/data-type.js';
import type { Property } from '../ast.js';
import { messages } from '../messages.js';
import type { FormatName } from '../plan.js';
import { invalidStatement, type Place } from '../sql-error.js';

const kafkaTypes = ['INTEGER', 'BIGINT', 'DOUBLE', 'STRING', 'BYTES'];

/** Throws when the columns do not fit the format of the key or of the value. */
export function checkFormat(part: 'Key' | 'Value', format: FormatName, columns: readonly Column[], place: Place): void {
  const problem = formatProblem(format, columns, part);
  if (problem !== null) throw invalidStatement(place, messages.formatSchema(part, format, columns, problem));
}

/** Why the columns do not fit, or null. */
export function formatProblem(format: FormatName, columns: readonly Column[], part: 'Key' | 'Value'): string | null {
  if (format === 'KAFKA') {
    const odd = columns.find((column) => !kafkaTypes.includes(column.type.kind));
    if (odd !== undefined) return `${messages.formatType(format, odd.type.kind)}, column: \`${odd.name}\``;
    if (columns.length > 1) return messages.formatSingle(format, columns, part === 'Key' ? ' KEY' : '');
    return null;
  }
  const map = columns.map((column) => findMap(column.type)).find((type) => type !== null);
  if (map === undefined || map === null) return null;
  return `${format === 'JSON' ? 'JSON' : 'Avro'} only supports MAP${format === 'JSON' ? '' : 's'} ${format === 'JSON' ? 'types ' : ''}with STRING keys`;
}

/** A map whose keys are not text, anywhere inside. */
function findMap(type: DataType): DataType | null {
  switch (type.kind) {
    case 'MAP':
      return type.key.kind === 'STRING' ? findMap(type.value) : type;
    case 'ARRAY':
      return findMap(type.element);
    case 'STRUCT':
      return type.fields.map((field) => findMap(field.type)).find((found) => found !== null) ?? null;
    default:
      return null;
  }
}

export function checkKeyTypes(keys: readonly Column[], place: Place): void {
  for (const { name, type } of keys)
    if (printType(type).includes('MAP<')) throw invalidStatement(place, messages.mapKey(name, type));
}

/** WRAP_SINGLE_VALUE is for values of one column, in a format that can wrap them. */
export function checkWrapping(wrapSingle: Property | null, format: FormatName, values: readonly Column[]): void {
  if (wrapSingle === null) return;
  if (format === 'KAFKA') throw invalidStatement(wrapSingle.name.place, messages.wrapUnsupported(format));
  if (values.length !== 1) throw invalidStatement(wrapSingle.name.place, messages.wrapSingle);
}
