// The SQL types, as ksqlDB names them, and the JavaScript values that stand for them inside the process. This is the one
// vocabulary of types between sources, formats, SQL, operators and store; each of those maps it to its own form.
// What a type looks like in JSON, Avro and SQLite is told where it is encoded (schema/formats, store/sqlite).

export type DataType =
  | { readonly kind: 'BOOLEAN' }
  | { readonly kind: 'INTEGER' }
  | { readonly kind: 'BIGINT' }
  | { readonly kind: 'DOUBLE' }
  | { readonly kind: 'DECIMAL'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'STRING' }
  | { readonly kind: 'BYTES' }
  | { readonly kind: 'DATE' }
  /** `digits`: of the fraction of a second on the wire: 3 = milliseconds, 6 = microseconds. In memory always µs. */
  | { readonly kind: 'TIME'; readonly digits: 3 | 6 }
  /** `zoned`: on the wire it is text in UTC with so many digits behind the second, as Debezium writes TIMESTAMP of MySQL. */
  | { readonly kind: 'TIMESTAMP'; readonly digits: 3 | 6; readonly zoned?: number }
  | { readonly kind: 'ARRAY'; readonly element: DataType }
  | { readonly kind: 'MAP'; readonly key: DataType; readonly value: DataType }
  | { readonly kind: 'STRUCT'; readonly fields: readonly StructField[] };

export interface StructField {
  readonly name: string;
  readonly type: DataType;
}

/**
 * A value of a column inside the process.
 * BOOLEAN boolean · INTEGER number · BIGINT number when |v| <= 2^53-1, else bigint (never both forms of one value) ·
 * DOUBLE number · DECIMAL(p,s) the unscaled integer v*10^s, number or bigint by the same rule · STRING string ·
 * BYTES Buffer · DATE number, days since 1970-01-01 · TIME number, µs of the day · TIMESTAMP µs since the epoch, number or
 * bigint as BIGINT · ARRAY Value[] · MAP Map<string, Value> · STRUCT Value[] in the order of the fields · SQL NULL null.
 */
export type Value = null | boolean | number | bigint | string | Buffer | readonly Value[] | ReadonlyMap<string, Value>;

/** All columns of a row in declared order (key columns included, wherever they were declared). */
export type Row = readonly Value[];

export interface Column {
  readonly name: string;
  readonly type: DataType;
}

/** The columns of a stream or a table, and which of them form the key (indexes into `columns`, in key order). */
export interface RowSchema {
  readonly columns: readonly Column[];
  readonly keyColumns: readonly number[];
}

export const BOOLEAN = { kind: 'BOOLEAN' } as const satisfies DataType;
export const INTEGER = { kind: 'INTEGER' } as const satisfies DataType;
export const BIGINT = { kind: 'BIGINT' } as const satisfies DataType;
export const DOUBLE = { kind: 'DOUBLE' } as const satisfies DataType;
export const STRING = { kind: 'STRING' } as const satisfies DataType;
export const BYTES = { kind: 'BYTES' } as const satisfies DataType;
export const DATE = { kind: 'DATE' } as const satisfies DataType;

/** The type as SQL text, ksqlDB's spelling: `DECIMAL(4, 2)`, ``STRUCT<`F1` INTEGER>``. */
export function printType(type: DataType): string {
  switch (type.kind) {
    case 'DECIMAL':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'ARRAY':
      return `ARRAY<${printType(type.element)}>`;
    case 'MAP':
      return `MAP<${printType(type.key)}, ${printType(type.value)}>`;
    case 'STRUCT':
      return `STRUCT<${type.fields.map((f) => `\`${f.name.replaceAll('`', '``')}\` ${printType(f.type)}`).join(', ')}>`;
    default:
      return type.kind;
  }
}

/** Same type; the digits of TIME and TIMESTAMP are a matter of the wire and do not count. */
export function sameType(a: DataType, b: DataType): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'DECIMAL':
      return b.kind === 'DECIMAL' && a.precision === b.precision && a.scale === b.scale;
    case 'ARRAY':
      return b.kind === 'ARRAY' && sameType(a.element, b.element);
    case 'MAP':
      return b.kind === 'MAP' && sameType(a.key, b.key) && sameType(a.value, b.value);
    case 'STRUCT':
      return b.kind === 'STRUCT' && sameFields(a.fields, b.fields);
    default:
      return a.kind === b.kind;
  }
}

function sameFields(a: readonly StructField[], b: readonly StructField[]): boolean {
  return a.length === b.length && a.every(({ name, type }, i) => name === b[i]!.name && sameType(type, b[i]!.type));
}

/** As the type is in records that are no captured ones: their times are numbers. */
export function withoutZone(type: DataType): DataType {
  return type.kind === 'TIMESTAMP' && type.zoned !== undefined ? { kind: type.kind, digits: type.digits } : type;
}

/** The canonical form of an integer that may not fit a double: number when it is exact, else bigint. */
export function integerValue(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** About how many characters or bytes a value is: what copying, comparing or printing it takes. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  if (Buffer.isBuffer(value)) return value.length;
  let size = 1;
  if (Array.isArray(value)) for (const item of value as readonly Value[]) size += sizeOf(item);
  else for (const [key, item] of value as ReadonlyMap<string, Value>) size += key.length + sizeOf(item);
  return size;
}
