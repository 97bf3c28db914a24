// Rows of one captured table onto its encoder: the hot path of both snapshot and streaming. The writers of the columns are
// chosen once per table.
import { printType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { RowEncoder, SourceTable, ValueSink } from '../../core/row-encoder.js';
import type { Op } from '../../core/record.js';
import type { SqlValue } from '../../sqlite/database.js';
import type { SourceContext } from '../source-connector.js';
import type { SqliteSourceConfig } from './config.js';
import type { InstalledTable } from './install.js';
import { isReadAsText, sourceTableOf } from './table-types.js';
import { createWriter, writeAsText, type ValueWriter } from './value.js';

export class TableWriter {
  readonly installed: InstalledTable;
  readonly source: SourceTable;
  readonly #encoder: RowEncoder;
  readonly #writers: readonly ValueWriter[];

  constructor(installed: InstalledTable, config: SqliteSourceConfig, source: SourceTable, encoder: RowEncoder) {
    this.installed = installed;
    this.source = source;
    this.#encoder = encoder;
    const { description, captured } = installed;
    this.#writers = source.columns.map(({ type }, i) =>
      isReadAsText(description, description.columns[captured[i]!]!, config)
        ? writeAsText
        : createWriter(type, config.timestampUnit),
    );
  }

  get topic(): string {
    return this.#encoder.topic;
  }

  /** `first`: where the table's columns begin in the row. */
  writeRow(op: Op, row: readonly SqlValue[], first: number): void {
    // No old key: the triggers record a changed key as a delete and an insert.
    const encoder = this.#encoder;
    this.#writeAll(encoder.beginRow(op), row, first);
    encoder.endRow();
  }

  writeDelete(row: readonly SqlValue[], first: number): void {
    const encoder = this.#encoder;
    const sink = encoder.beginDelete();
    if (encoder.wantsOldRow) this.#writeAll(sink, row, first);
    else this.#writeKey(sink, row, first);
    encoder.endDelete();
  }

  #writeAll(sink: ValueSink, row: readonly SqlValue[], first: number): void {
    const writers = this.#writers;
    for (let i = 0; i < writers.length; i++) {
      const value = row[first + i]!;
      if (value === null) {
        if (this.source.keyColumns.includes(i)) throw this.#misfit(i, row, first);
        sink.null();
      } else if (!writers[i]!(sink, value)) throw this.#misfit(i, row, first);
    }
  }

  #writeKey(sink: ValueSink, row: readonly SqlValue[], first: number): void {
    const { keyColumns } = this.source;
    for (let k = 0; k < keyColumns.length; k++) {
      const i = keyColumns[k]!;
      const value = row[first + i]!;
      if (value === null || !this.#writers[i]!(sink, value)) throw this.#misfit(i, row, first);
    }
  }

  #misfit(index: number, row: readonly SqlValue[], first: number): AppError {
    const { table, columns, keyColumns } = this.source;
    const column = columns[index]!;
    const value = row[first + index]!;
    const key = keyColumns.map((k) => `${columns[k]!.name} = ${show(row[first + k]!)}`).join(', ');
    const place = `table ${table}, column ${column.name}`;
    if (value === null) {
      return new AppError('unconvertible-value', `${place}: NULL in the primary key`, {
        detail: `the row with ${key}`,
        hint: 'SQLite lets NULL into a primary key that is not NOT NULL; such a row has no key in the topic',
      });
    }
    const name = `a value of storage class ${storageClass(value)} does not fit ${printType(column.type)}`;
    return new AppError(
      'unconvertible-value',
      `${place}: ${name} (declared ${column.sourceType || 'without a type'})`,
      {
        detail: `the row with ${key} holds ${show(value)}`,
        hint: `correct the row, or read the column as text: sqlite.text.columns=${table}\\.${column.name}`,
      },
    );
  }
}

/** Announces a table and makes its writer. */
export async function openTableWriter(
  installed: InstalledTable,
  config: SqliteSourceConfig,
  context: SourceContext,
): Promise<TableWriter> {
  const source = sourceTableOf(installed.description, config);
  return new TableWriter(installed, config, source, await context.openTable(source));
}

function storageClass(value: NonNullable<SqlValue>): string {
  if (typeof value === 'bigint') return 'INTEGER';
  if (typeof value === 'number') return 'REAL';
  return typeof value === 'string' ? 'TEXT' : 'BLOB';
}

function show(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (Buffer.isBuffer(value)) return `X'${value.subarray(0, 40).toString('hex')}'${value.length > 40 ? '...' : ''}`;
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
