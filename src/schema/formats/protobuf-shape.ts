// The numbers under which a message's columns are written, from the text of its schema.
import type { DataType, StructField } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import type { ProtoMessage } from '../protobuf/proto-file.js';
import { parseProto } from '../protobuf/proto-parser.js';
import { protobufNames } from './protobuf-names.js';
import { structFields } from './protobuf-schema.js';

export interface MessageShape {
  /** By the place of the column. */
  readonly numbers: readonly number[];
  /** Of columns with a STRUCT in them. */
  readonly nested: readonly (MessageShape | undefined)[];
}

/** Of the columns in a message; what stands behind them, such as `__deleted`, may be among the fields. */
export function messageShape(message: ProtoMessage, fields: readonly StructField[]): MessageShape {
  const named = new Map(message.fields.map((field) => [field.name, field]));
  const found = protobufNames(fields.map(({ name }) => name)).map((name) => {
    const field = named.get(name);
    assert(field, `schema ${message.name} has the field ${name}`);
    return field;
  });
  return {
    numbers: found.map(({ number }) => number),
    nested: fields.map(({ type }, i) => {
      if (!hasStruct(type)) return undefined;
      const inner = message.messages.find(({ name }) => name === found[i]!.type);
      assert(inner, `schema ${message.name} defines ${found[i]!.type}`);
      return messageShape(inner, structFields(type));
    }),
  };
}

/** Of the only message of a text. */
export function shapeOfText(text: string, fields: readonly StructField[]): MessageShape {
  return messageShape(parseProto(text).messages[0]!, fields);
}

function hasStruct(type: DataType): boolean {
  if (type.kind === 'ARRAY') return hasStruct(type.element);
  return type.kind === 'MAP' ? hasStruct(type.value) : type.kind === 'STRUCT';
}
