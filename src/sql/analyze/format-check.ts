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
  if (format === 'PROTOBUF') {
    const nested = columns.find(({ type }) => hasListInList(type, false));
    if (nested !== undefined) return `Protobuf has no lists in lists, column: \`${nested.name}\``;
  }
  const map = columns.map((column) => findMap(column.type)).find((type) => type !== null);
  if (map === undefined || map === null) return null;
  if (format === 'JSON') return 'JSON only supports MAP types with STRING keys';
  return `${format === 'AVRO' ? 'Avro' : 'Protobuf'} only supports MAPs with STRING keys`;
}

/** A field is repeated or it is not: an ARRAY or MAP right in another has no form. */
function hasListInList(type: DataType, inList: boolean): boolean {
  switch (type.kind) {
    case 'ARRAY':
      return inList || hasListInList(type.element, true);
    case 'MAP':
      return inList || hasListInList(type.value, true);
    case 'STRUCT':
      return type.fields.some((field) => hasListInList(field.type, false));
    default:
      return false;
  }
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
