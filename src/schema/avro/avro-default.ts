// Whether a JSON value can be the default of a field. Of a union it is a value of any of its branches, as Java takes it and as the
// specification has it by now.
import type { Effort } from '../effort.js';
import type { AvroType } from './avro-type.js';

export function isDefaultOf(type: AvroType, value: unknown, effort: Effort): boolean {
  effort.spend(1);
  switch (type.kind) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'int':
      return Number.isInteger(value) && Math.abs(value as number) <= 2 ** 31;
    case 'long':
      return Number.isInteger(value) && Math.abs(value as number) <= 2 ** 63;
    case 'float':
    case 'double':
      return typeof value === 'number';
    case 'bytes':
    case 'string':
    case 'fixed':
      return typeof value === 'string';
    case 'enum':
      return type.symbols.has(value as string);
    case 'array':
      return Array.isArray(value) && value.every((each) => isDefaultOf(type.items, each, effort));
    case 'map':
      return isObject(value) && Object.values(value).every((each) => isDefaultOf(type.values, each, effort));
    case 'union':
      return type.branches.some((branch) => isDefaultOf(branch, value, effort));
    case 'record':
      if (!isObject(value)) return false;
      for (const field of type.fields.values()) {
        if (!Object.hasOwn(value, field.name) ? !field.hasDefault : !isDefaultOf(field.type, value[field.name], effort))
          return false;
      }
      return true;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
