// A parsed Avro schema: names are resolved, so a type that contains itself is a circle of objects.

export const primitiveNames = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
export type PrimitiveName = (typeof primitiveNames)[number];

export interface PrimitiveType {
  readonly kind: PrimitiveName;
}
export interface ArrayType {
  readonly kind: 'array';
  readonly items: AvroType;
}
export interface MapType {
  readonly kind: 'map';
  readonly values: AvroType;
}
export interface UnionType {
  readonly kind: 'union';
  readonly branches: readonly AvroType[];
}
/** What types with a name have in common: full names. */
interface Named {
  readonly name: string;
  readonly aliases: readonly string[];
}
export interface RecordField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: AvroType;
  readonly hasDefault: boolean;
}
export interface RecordType extends Named {
  readonly kind: 'record';
  readonly fields: ReadonlyMap<string, RecordField>;
}
export interface EnumType extends Named {
  readonly kind: 'enum';
  readonly symbols: ReadonlySet<string>;
  /** What a reader takes for symbols that it does not know. */
  readonly default: string | undefined;
}
export interface FixedType extends Named {
  readonly kind: 'fixed';
  readonly size: number;
}
export type NamedType = RecordType | EnumType | FixedType;
export type AvroType = PrimitiveType | ArrayType | MapType | UnionType | NamedType;

/** One object per primitive type. */
export const primitives: ReadonlyMap<string, PrimitiveType> = new Map(primitiveNames.map((kind) => [kind, { kind }]));

export function isNamed(type: AvroType): type is NamedType {
  return type.kind === 'record' || type.kind === 'enum' || type.kind === 'fixed';
}

/** Without the namespace. */
export function simpleName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}
