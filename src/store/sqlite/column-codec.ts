// How a value lies in a column of a physical table. SQLite's own order of what is stored is the order of the values (core/compare.ts)
// for every scalar type, so keys are ranges of the table's b-tree. Two exceptions, both only in the order of rows: null in a
// DOUBLE key column sorts last, and ARRAY, MAP and STRUCT keys sort by their JSON text.
import { integerValue, type DataType, type Value } from '../../core/data-type.js';
import { unreachable } from '../../core/errors.js';
import { exactJson } from '../../schema/formats/exact-json.js';
import type { SqlValue } from '../../sqlite/database.js';
import { fromSortableText, sortableTextForReaders, toSortableText } from './sortable-decimal.js';

export interface ColumnCodec {
  /** As declared in CREATE TABLE. DOUBLE and keys have none, so that what is bound is stored as it is. */
  readonly declaredType: 'INTEGER' | 'TEXT' | 'BLOB' | '';
  /** Undefined: the value itself, null included. */
  readonly encode: ((value: Value) => SqlValue) | undefined;
  readonly decode: ((stored: SqlValue) => Value) | undefined;
  /** May hold integers beyond 2^53, which a plain read rounds: such a row is read again exactly. */
  readonly wide: boolean;
}

/** Integers of this magnitude and above come rounded from a plain read; a rounded one is never below. */
export const roundedFrom = 2 ** 53;

const plainInteger: ColumnCodec = { declaredType: 'INTEGER', encode: undefined, decode: undefined, wide: false };
const wideInteger: ColumnCodec = { ...plainInteger, wide: true };

export function columnCodec(type: DataType): ColumnCodec {
  switch (type.kind) {
    case 'BOOLEAN':
      return {
        declaredType: 'INTEGER',
        encode: (value) => (value === null ? null : value === true ? 1 : 0),
        decode: (stored) => (stored === null ? null : stored === 1),
        wide: false,
      };
    case 'INTEGER':
    case 'DATE':
    case 'TIME':
      return plainInteger;
    case 'BIGINT':
    case 'TIMESTAMP':
      return wideInteger;
    case 'DOUBLE':
      return {
        declaredType: '',
        // SQLite makes NaN to NULL. Text sorts behind every number, where ours stands.
        encode: (value) => (Number.isNaN(value) ? 'NaN' : (value as number | null)),
        decode: (stored) => (stored === 'NaN' ? Number.NaN : stored),
        wide: false,
      };
    case 'DECIMAL': {
      const { precision } = type;
      if (precision <= 18) return wideInteger;
      return {
        declaredType: 'TEXT',
        encode: (value) => (value === null ? null : toSortableText(value as number | bigint, precision)),
        decode: (stored) => (stored === null ? null : integerValue(fromSortableText(stored as string))),
        wide: false,
      };
    }
    case 'STRING':
      return { declaredType: 'TEXT', encode: undefined, decode: undefined, wide: false };
    case 'BYTES':
      return { declaredType: 'BLOB', encode: undefined, decode: undefined, wide: false };
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT': {
      const { print, read } = exactJson(type);
      return {
        declaredType: 'TEXT',
        encode: (value) => (value === null ? null : print(value)),
        decode: (stored) => (stored === null ? null : read(stored as string)),
        wide: false,
      };
    }
    default:
      return unreachable(type);
  }
}

/**
 * A key column of several: a primary key takes no NULL, so null is a mark that sorts below every value: minus infinity among
 * integers, a number among texts and bytes.
 */
export function keyColumnCodec(type: DataType): ColumnCodec {
  const { encode, decode, wide, declaredType } = columnCodec(type);
  const mark: SqlValue = type.kind === 'DOUBLE' ? Buffer.alloc(0) : declaredType === 'INTEGER' ? -Infinity : 0;
  const isMark: (stored: SqlValue) => boolean =
    type.kind === 'DOUBLE'
      ? (stored) => Buffer.isBuffer(stored)
      : declaredType === 'INTEGER'
        ? (stored) => stored === -Infinity
        : (stored) => typeof stored === 'number';
  return {
    declaredType: declaredType === 'INTEGER' ? 'INTEGER' : '',
    encode: (value) =>
      value === null ? mark : Object.is(value, -0) ? 0 : encode === undefined ? (value as SqlValue) : encode(value),
    decode: (stored) => (isMark(stored) ? null : decode === undefined ? stored : decode(stored)),
    wide,
  };
}

/** The SQL expression by which a view shows the column to people and tools. */
export function readableColumn(column: string, type: DataType): string {
  switch (type.kind) {
    case 'DATE':
      return `ifnull(date(${column} * 86400, 'unixepoch'), ${column})`;
    case 'TIME':
      return `CASE WHEN ${column} IS NOT NULL THEN printf('%02d:%02d:%02d.%06d', ${column} / 3600000000, ${column} / 60000000 % 60, ${column} / 1000000 % 60, ${column} % 1000000) END`;
    case 'TIMESTAMP': {
      // SQLite's division cuts towards zero; times before 1970 need the floor.
      const micros = `((${column} % 1000000 + 1000000) % 1000000)`;
      const seconds = `((${column} - ${micros}) / 1000000)`;
      return `ifnull(strftime('%Y-%m-%d %H:%M:%S', ${seconds}, 'unixepoch') || printf('.%06d', ${micros}), ${column})`;
    }
    case 'DECIMAL': {
      const { precision, scale } = type;
      if (precision > 18) return sortableTextForReaders(column, precision, scale);
      if (scale === 0) return column;
      const unit = `1${'0'.repeat(scale)}`;
      // In SQLite `||` binds closer than a division.
      return `CASE WHEN ${column} < 0 THEN '-' ELSE '' END || (abs(${column}) / ${unit}) || '.' || printf('%0${scale}d', abs(${column}) % ${unit})`;
    }
    case 'BOOLEAN':
    case 'INTEGER':
    case 'BIGINT':
    case 'DOUBLE':
    case 'STRING':
    case 'BYTES':
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return column;
    default:
      return unreachable(type);
  }
}

/** The same for a key column of several, where null is a mark. */
export function readableKeyColumn(column: string, type: DataType): string {
  const readable = readableColumn(column, type);
  const { declaredType } = keyColumnCodec(type);
  if (declaredType === 'INTEGER') return `CASE WHEN ${column} <> -9e999 THEN ${readable} END`;
  const isValue = type.kind === 'DOUBLE' ? `typeof(${column}) <> 'blob'` : `typeof(${column}) IN ('text', 'blob')`;
  return `CASE WHEN ${isValue} THEN ${readable} END`;
}
