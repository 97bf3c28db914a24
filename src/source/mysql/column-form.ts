// What a column of MySQL or MariaDB is, freed of where it was learned: information_schema (snapshot) and the table map of the
// binlog (stream) both give this form, so that both readers decide by the same facts. Which SQL type a form becomes, and how
// the source spells it, is told here and nowhere else.
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, INTEGER, STRING, type DataType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { SemanticType, SourceColumn } from '../../core/row-encoder.js';

/**
 * What becomes of a date that is no day, and of a TIME outside of a day: the property of the same values. `exact`, of TIME only: the number
 * of µs that it is.
 */
export type OddTimes = 'stop' | 'null' | 'text' | 'exact';

export type ColumnForm =
  | { readonly kind: 'integer'; readonly bytes: 1 | 2 | 3 | 4 | 8; readonly unsigned: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  /** `name` as in `varchar(20)` or `mediumtext`; `compressed`: MariaDB's column compression, which the binlog has too. */
  | { readonly kind: 'text'; readonly name: string; readonly charset: string; readonly compressed?: boolean }
  /** `padTo`: BINARY(n), whose trailing zeros the binlog leaves out; else 0. */
  | { readonly kind: 'bytes'; readonly name: string; readonly padTo: number; readonly compressed?: boolean }
  | { readonly kind: 'enum' | 'set'; readonly charset: string }
  | { readonly kind: 'bit'; readonly bits: number }
  | { readonly kind: 'date'; readonly odd?: OddTimes }
  /** `old`: in the storage format of before MySQL 5.6, which has no fraction. */
  | {
      readonly kind: 'time' | 'datetime' | 'timestamp';
      readonly digits: number;
      readonly odd?: OddTimes;
      readonly old?: boolean;
    }
  /** `short`: MariaDB's YEAR(2), of which the server shows the last two digits. */
  | { readonly kind: 'year'; readonly short?: boolean }
  | { readonly kind: 'json' }
  | { readonly kind: 'uuid' | 'inet4' | 'inet6' }
  /** `name` as in `point`. */
  | { readonly kind: 'geometry'; readonly name: string; readonly as?: GeometryForm }
  | { readonly kind: 'vector'; readonly dimensions: number }
  | { readonly kind: 'unsupported'; readonly name: string };

/** A struct of well-known binary and SRID, or GeoJSON as text. */
export type GeometryForm = 'struct' | 'geojson';

export interface TableColumn {
  readonly name: string;
  readonly nullable: boolean;
  readonly form: ColumnForm;
}

/** What the configuration says of values that have no one form here. */
export interface ValueModes {
  /** Zero and partial dates. */
  readonly zeroDates: OddTimes;
  /** TIME below 0 and from 24 hours on. */
  readonly timeRange: OddTimes;
  readonly geometry: GeometryForm;
}

/** Values of it are equal here just when they are at the server. */
export function isComparable(form: ColumnForm): boolean {
  switch (form.kind) {
    case 'integer':
    case 'decimal':
    case 'year':
    case 'bit':
    case 'text':
    case 'bytes':
    case 'date':
    case 'time':
    case 'datetime':
    case 'timestamp':
    case 'enum':
    case 'set':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return true;
    default:
      return false;
  }
}

export function withModes<T extends TableColumn>(columns: readonly T[], modes: ValueModes): T[] {
  return columns.map((column) => ({ ...column, form: formWithModes(column.form, modes) }));
}

function formWithModes(form: ColumnForm, { zeroDates, timeRange, geometry }: ValueModes): ColumnForm {
  switch (form.kind) {
    case 'date':
    case 'datetime':
    case 'timestamp':
      return { ...form, odd: zeroDates };
    case 'time':
      return { ...form, odd: timeRange };
    case 'geometry':
      return { ...form, as: geometry };
    default:
      return form;
  }
}

const integerNames = { 1: 'tinyint', 2: 'smallint', 3: 'mediumint', 4: 'int', 8: 'bigint' } as const;

/** The source's own spelling, without what only one of the two ways of learning knows (display widths, labels). */
function printForm(form: ColumnForm): string {
  switch (form.kind) {
    case 'integer':
      return integerNames[form.bytes] + (form.unsigned ? ' unsigned' : '');
    case 'decimal':
      return `decimal(${form.precision},${form.scale})`;
    case 'text':
    case 'bytes':
    case 'geometry':
    case 'unsupported':
      return form.name;
    case 'vector':
      return `vector(${form.dimensions})`;
    case 'year':
      return form.short ? 'year(2)' : 'year';
    case 'bit':
      return `bit(${form.bits})`;
    case 'time':
    case 'datetime':
    case 'timestamp':
      return form.digits === 0 ? form.kind : `${form.kind}(${form.digits})`;
    default:
      return form.kind;
  }
}

/** As Debezium's `io.debezium.data.geometry.Geometry`. */
export const geometryType: DataType = {
  kind: 'STRUCT',
  fields: [
    { name: 'wkb', type: BYTES },
    { name: 'srid', type: INTEGER },
  ],
};

/** The SQL type that the column becomes; undefined when capture does not cover it. */
export function dataTypeOf(form: ColumnForm): DataType | undefined {
  switch (form.kind) {
    case 'integer':
      if (form.bytes < 4 || (form.bytes === 4 && !form.unsigned)) return INTEGER;
      return form.bytes === 8 && form.unsigned ? { kind: 'DECIMAL', precision: 20, scale: 0 } : BIGINT;
    case 'decimal':
      return { kind: 'DECIMAL', precision: form.precision, scale: form.scale };
    case 'float':
    case 'double':
      return DOUBLE;
    case 'text':
    case 'enum':
    case 'set':
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return STRING;
    case 'bytes':
      return BYTES;
    case 'bit':
      return form.bits === 1 ? BOOLEAN : BYTES;
    case 'date':
      return form.odd === 'text' ? STRING : DATE;
    case 'time':
      if (form.odd === 'text') return STRING;
      return { kind: 'TIME', digits: form.digits > 3 ? 6 : 3 };
    case 'datetime':
    case 'timestamp':
      if (form.odd === 'text') return STRING;
      return { kind: 'TIMESTAMP', digits: form.digits > 3 ? 6 : 3 };
    case 'year':
      return INTEGER;
    case 'geometry':
      return form.as === 'geojson' ? STRING : geometryType;
    case 'vector':
      return { kind: 'ARRAY', element: DOUBLE };
    case 'unsupported':
      return undefined;
  }
}

/** `where` names the column for people: database.table.column. */
export function sourceColumn(column: TableColumn, where: string, labels: readonly string[] = []): SourceColumn {
  const { name, nullable, form } = column;
  const type = dataTypeOf(form);
  if (!type) throw unsupportedType(column, where);
  const semanticType = semanticTypeOf(form, labels);
  const of = { name, type, nullable, sourceType: printForm(form) };
  return semanticType === undefined ? of : { ...of, semanticType };
}

function semanticTypeOf(form: ColumnForm, labels: readonly string[]): SemanticType | undefined {
  switch (form.kind) {
    case 'integer':
      return form.bytes === 1 || (form.bytes === 2 && !form.unsigned) ? { kind: 'int16' } : undefined;
    case 'float':
    case 'year':
    case 'json':
      return { kind: form.kind };
    case 'bit':
      return form.bits === 1 ? undefined : { kind: 'bits', length: form.bits };
    case 'enum':
    case 'set':
      return { kind: form.kind, labels };
    default:
      return undefined;
  }
}

export function unsupportedType(column: TableColumn, where: string): AppError {
  return new AppError(
    'unsupported-type',
    `column ${where} has type ${printForm(column.form)}, which capture does not cover`,
    {
      hint: `leave the column out: "column.exclude.list": "${where.replaceAll('.', '\\\\.')}"`,
    },
  );
}

/** A text column in a character set by the server's name. */
export function textForm(name: string, charset: string): ColumnForm & { kind: 'text' } {
  return { kind: 'text', name, charset: sameCharset(charset) };
}

export function labelForm(kind: 'enum' | 'set', charset: string): ColumnForm {
  // Labels of a column with the binary character set are taken as they are.
  return { kind, charset: charset === 'binary' ? 'utf8mb4' : sameCharset(charset) };
}

/** MySQL 8.0 and MariaDB call it `utf8` in places. */
function sameCharset(charset: string): string {
  return charset === 'utf8' ? 'utf8mb3' : charset;
}
