// The parts of a .proto file as it is written: names are not resolved (descriptors.ts does that), comments are gone. What the parser
// makes, the printer writes and the rules of compatibility compare.

export interface ProtoFile {
  /** Undefined: the file does not say, which means proto2. */
  readonly syntax: 'proto2' | 'proto3' | undefined;
  readonly package: string | undefined;
  readonly imports: readonly ProtoImport[];
  readonly options: readonly ProtoOption[];
  readonly messages: readonly ProtoMessage[];
  readonly enums: readonly ProtoEnum[];
  readonly extends: readonly ProtoExtend[];
  readonly services: readonly ProtoService[];
}

export interface ProtoImport {
  readonly path: string;
  readonly kind: 'plain' | 'public' | 'weak';
}

export interface ProtoMessage {
  readonly name: string;
  readonly reserved: readonly (readonly ReservedItem[])[];
  readonly options: readonly ProtoOption[];
  /** Those of a oneof are in it. */
  readonly fields: readonly ProtoField[];
  readonly oneofs: readonly ProtoOneof[];
  readonly extensionRanges: readonly ProtoExtensionRange[];
  readonly messages: readonly ProtoMessage[];
  readonly enums: readonly ProtoEnum[];
  readonly extends: readonly ProtoExtend[];
}

/** A name, or numbers from one to another; `to` may be `max`. */
export type ReservedItem = string | NumberRange;

export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** The largest number of a field. */
export const numberMax = 536_870_911;

export interface ProtoExtensionRange {
  readonly ranges: readonly NumberRange[];
  readonly options: readonly ProtoOption[];
}

export interface ProtoField {
  readonly label: 'optional' | 'required' | 'repeated' | undefined;
  /** As it is written: a scalar's name, or that of a message or enum. Of a map the type of its values. */
  readonly type: string;
  /** The type of a map's keys. */
  readonly mapKey: string | undefined;
  readonly name: string;
  readonly number: number;
  readonly options: readonly ProtoOption[];
  /** Of a group: the message that it defines, whose name is `type`. */
  readonly group: ProtoMessage | undefined;
}

export interface ProtoOneof {
  readonly name: string;
  readonly options: readonly ProtoOption[];
  readonly fields: readonly ProtoField[];
}

export interface ProtoEnum {
  readonly name: string;
  readonly options: readonly ProtoOption[];
  readonly reserved: readonly (readonly ReservedItem[])[];
  readonly values: readonly ProtoEnumValue[];
}

export interface ProtoEnumValue {
  readonly name: string;
  readonly number: number;
  readonly options: readonly ProtoOption[];
}

export interface ProtoExtend {
  readonly of: string;
  readonly fields: readonly ProtoField[];
}

export interface ProtoService {
  readonly name: string;
  readonly options: readonly ProtoOption[];
  readonly methods: readonly ProtoMethod[];
}

export interface ProtoMethod {
  readonly name: string;
  readonly input: MethodType;
  readonly output: MethodType;
  readonly options: readonly ProtoOption[];
}

export interface MethodType {
  readonly type: string;
  readonly stream: boolean;
}

export interface ProtoOption {
  /** With its parentheses and what follows them. */
  readonly name: string;
  readonly value: OptionValue;
}

export type OptionValue =
  | { readonly kind: 'text'; readonly text: string }
  /** A number, or a name. */
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'list'; readonly items: readonly OptionValue[] }
  | { readonly kind: 'map'; readonly entries: readonly { readonly key: string; readonly value: OptionValue }[] };

export const scalarTypes = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
] as const;
export type ScalarType = (typeof scalarTypes)[number];

export function isScalar(type: string): type is ScalarType {
  return (scalarTypes as readonly string[]).includes(type);
}

/** All fields of a message, in oneofs or not. */
export function allFields({ fields, oneofs }: ProtoMessage): readonly ProtoField[] {
  return oneofs.length === 0 ? fields : [...fields, ...oneofs.flatMap((oneof) => oneof.fields)];
}
