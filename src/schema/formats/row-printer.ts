// Rows and values as JSON text: by column type, so that no digit of a BIGINT or DECIMAL is lost and, for people and clients, times are
// readable. What lies on topics is bytes, and written by value-encoder. Compiled per column, and JSON.stringify only where a string has to
// be escaped: a point read makes its answer with this.
import { compareText } from '../../core/compare.js';
import type { Column, DataType, Row, Value } from '../../core/data-type.js';
import { decimalText } from '../../core/decimal.js';
import { doubleText } from './json-write.js';
import { dateText, timestampText, timeText } from '../../core/time-text.js';

export interface PrintOptions {
  /**
   * strings: BIGINT and DECIMAL as JSON strings (what /v1 does by default, since most clients read numbers as doubles);
   * literals: as numbers with all digits, and DOUBLE always with a fraction or exponent (ksqlDB's endpoints);
   * exact: every whole number as it is in memory, times and the unscaled DECIMAL too, and maps sorted (exact-json reads it back).
   */
  readonly numbers: 'strings' | 'literals' | 'exact';
}

/** A value as JSON text. */
export type PrintValue = (value: Value) => string;

/** A printer for values of one type. */
export function valuePrinter(type: DataType, options: PrintOptions): PrintValue {
  const print = notNullPrinter(type, options);
  return (value) => (value === null ? 'null' : print(value));
}

/** Prints a row as a JSON object, columns in declared order. */
export function createRowPrinter(
  schema: { readonly columns: readonly Column[] },
  options: PrintOptions,
): (row: Row) => string {
  const printers = schema.columns.map((column) => notNullPrinter(column.type, options));
  const prefixes = schema.columns.map(({ name }, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  return (row) => {
    let text = '';
    for (let i = 0; i < printers.length; i++) {
      const value = row[i] ?? null;
      text += prefixes[i]! + (value === null ? 'null' : printers[i]!(value));
    }
    return text === '' ? '{}' : `${text}}`;
  };
}

function notNullPrinter(type: DataType, options: PrintOptions): PrintValue {
  const literals = options.numbers === 'literals';
  const exact = options.numbers === 'exact';
  if (exact && isWhole(type)) return (value) => `${value as number | bigint}`;
  switch (type.kind) {
    case 'BOOLEAN':
      return (value) => (value === true ? 'true' : 'false');
    case 'INTEGER':
      return (value) => `${value as number}`;
    case 'BIGINT':
      return literals ? (value) => `${value as number | bigint}` : (value) => `"${value as number | bigint}"`;
    case 'DECIMAL': {
      const { scale } = type;
      return literals
        ? (value) => decimalText(value as number | bigint, scale)
        : (value) => `"${decimalText(value as number | bigint, scale)}"`;
    }
    case 'DOUBLE':
      return literals ? (value) => doubleText(value as number) : (value) => plainDouble(value as number);
    case 'STRING':
      return (value) => JSON.stringify(value as string);
    case 'BYTES':
      return (value) => `"${(value as Buffer).toString('base64')}"`;
    case 'DATE':
      return (value) => `"${dateText(value as number)}"`;
    case 'TIME':
      return (value) => `"${timeText(value as number)}"`;
    case 'TIMESTAMP':
      return (value) => `"${timestampText(value as number | bigint)}"`;
    case 'ARRAY': {
      const element = valuePrinter(type.element, options);
      return (value) => `[${(value as readonly Value[]).map(element).join(',')}]`;
    }
    case 'MAP': {
      const element = valuePrinter(type.value, options);
      return (value) => {
        const entries = [...(value as ReadonlyMap<string, Value>)];
        if (exact) entries.sort(([a], [b]) => compareText(a, b));
        return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${element(item)}`).join(',')}}`;
      };
    }
    case 'STRUCT':
      return createRowPrinter({ columns: type.fields }, options) as PrintValue;
  }
}

/** A whole number in memory, whatever stands for it in an answer. */
function isWhole({ kind }: DataType): boolean {
  return ['INTEGER', 'BIGINT', 'DATE', 'TIME', 'TIMESTAMP', 'DECIMAL'].includes(kind);
}

/** NaN and the infinities have no JSON number; as ksqlDB, their names. */
function plainDouble(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}
