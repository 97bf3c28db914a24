// What PROTOBUF can hold of a value: lists have no NULL in them and are NULL when they are empty, and text has no lone surrogates.
import type { DataType, Value } from '../../src/core/data-type.js';
import { wellFormedText } from './value-arbitraries.js';

export function storable(type: DataType, value: Value): Value {
  if (value === null) return null;
  switch (type.kind) {
    case 'STRING':
      return wellFormedText(value as string);
    case 'ARRAY': {
      const items = (value as readonly Value[])
        .map((item) => storable(type.element, item))
        .filter((item) => item !== null);
      return items.length === 0 ? null : items;
    }
    case 'MAP': {
      const entries = [...(value as ReadonlyMap<string, Value>)]
        .map(([key, item]) => [wellFormedText(key), storable(type.value, item)] as const)
        .filter(([, item]) => item !== null);
      return entries.length === 0 ? null : new Map(entries);
    }
    case 'STRUCT':
      return type.fields.map((field, i) => storable(field.type, (value as readonly Value[])[i]!));
    default:
      return value;
  }
}
