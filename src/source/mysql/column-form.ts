// What a column of MySQL or MariaDB is, freed of where it was learned: information_schema (snapshot) and the table map of the
// binlog (stream) both give this form, so that both readers decide by the same facts. Which SQL type a form becomes, and how
// the source spells it, is told here and nowhere else.
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, INTEGER, STRING, type DataType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { SourceColumn } from '../../core/row-encoder.js';

/** Character sets that are read; every other one makes the column unsupported. */
export type TextCharset = 'utf8mb4' | 'utf8mb3' | 'ascii' | 'latin1';

export type ColumnForm =
  | { readonly kind: 'integer'; readonly bytes: 1 | 2 | 3 | 4 | 8; readonly unsigned: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  /** `name` as in `varchar(20)` or `mediumtext`. */
  | { readonly kind: 'text'; readonly name: string; readonly charset: TextCharset }
  /** `padTo`: BINARY(n), whose trailing zeros the binlog leaves out; else 0. */
  | { readonly kind: 'bytes'; readonly name: string; readonly padTo: number }
  | { readonly kind: 'enum'; readonly charset: TextCharset }
  | { readonly kind: 'set'; readonly charset: TextCharset }
  | { readonly kind: 'bit'; readonly bits: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'time' | 'datetime' | 'timestamp'; readonly digits: number }
  | { readonly kind: 'year' }
  | { readonly kind: 'json' }
  | { readonly kind: 'unsupported'; readonly name: string };

export interface TableColumn {
  readonly name: string;
  readonly nullable: boolean;
  readonly form: ColumnForm;
}

const integerNames = { 1: 'tinyint', 2: 'smallint', 3: 'mediumint', 4: 'int', 8: 'bigint' } as const;

/** The source's own spelling, without what only one of the two ways of learning knows (display widths, labels). */
export function printForm(form: ColumnForm): string {
  switch (form.kind) {
    case 'integer':
      return integerNames[form.bytes] + (form.unsigned ? ' unsigned' : '');
    case 'decimal':
      return `decimal(${form.precision},${form.scale})`;
    case 'text':
    case 'bytes':
    case 'unsupported':
      return form.name;
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
      return STRING;
    case 'bytes':
      return BYTES;
    case 'bit':
      return form.bits === 1 ? BOOLEAN : BYTES;
    case 'date':
      return DATE;
    case 'time':
      return { kind: 'TIME', digits: form.digits > 3 ? 6 : 3 };
    case 'datetime':
    case 'timestamp':
      return { kind: 'TIMESTAMP', digits: form.digits > 3 ? 6 : 3 };
    case 'year':
      return INTEGER;
    case 'unsupported':
      return undefined;
  }
}

/** `where` names the column for people: database.table.column. */
export function sourceColumn(column: TableColumn, where: string): SourceColumn {
  const type = dataTypeOf(column.form);
  if (!type) throw unsupportedType(column, where);
  return { name: column.name, type, nullable: column.nullable, sourceType: printForm(column.form) };
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

const charsets: Readonly<Record<string, TextCharset>> = {
  utf8mb4: 'utf8mb4',
  utf8mb3: 'utf8mb3',
  utf8: 'utf8mb3',
  ascii: 'ascii',
  latin1: 'latin1',
};

/** A text column in a character set by the server's name. */
export function textForm(name: string, charset: string): ColumnForm {
  const known = charsets[charset];
  return known
    ? { kind: 'text', name, charset: known }
    : { kind: 'unsupported', name: `${name} CHARACTER SET ${charset}` };
}

export function labelForm(kind: 'enum' | 'set', charset: string): ColumnForm {
  // Labels of a column with the binary character set are taken as they are, which for ASCII labels is exact.
  const known = charset === 'binary' ? 'ascii' : charsets[charset];
  return known ? { kind, charset: known } : { kind: 'unsupported', name: `${kind} CHARACTER SET ${charset}` };
}
