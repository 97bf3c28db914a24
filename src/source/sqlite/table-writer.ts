// Rows of one captured table onto its encoder: the hot path of both snapshot and streaming. The writers of the columns are
// chosen once per table.
import { AppError } from '../../core/errors.js';
import type { RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';
import type { Op } from '../../core/record.js';
import type { SqlValue, SqliteDatabase } from '../../sqlite/database.js';
import { KeyText } from '../key-text.js';
import type { OpenOptions, SourceContext } from '../source-connector.js';
import type { SqliteSourceConfig } from './config.js';
import type { InstalledTable } from './install.js';
import { createKeyChecks, keyHint, type KeyCheck } from './key-check.js';
import { misfit, show } from './misfit.js';
import { isReadAsText, sourceTableOf } from './table-types.js';
import { TextCheck, type InvalidText } from './text-check.js';
import { createWriter, writeAsText, type WriteValue } from './value.js';

export class TableWriter {
  readonly installed: InstalledTable;
  readonly source: SourceTable;
  readonly #encoder: RowEncoder;
  readonly #writers: readonly WriteValue[];
  readonly #keyChecks: readonly (readonly [column: number, check: KeyCheck])[];
  readonly #texts: TextCheck;
  readonly #text = new KeyText();

  constructor(
    reader: SqliteDatabase,
    installed: InstalledTable,
    config: SqliteSourceConfig,
    source: SourceTable,
    encoder: RowEncoder,
    isAltered: boolean,
  ) {
    this.installed = installed;
    this.source = source;
    this.#encoder = encoder;
    const { description, captured } = installed;
    this.#writers = source.columns.map(({ type }, i) =>
      isReadAsText(description, description.columns[captured[i]!]!, config)
        ? writeAsText
        : createWriter(type, config.timestampUnit),
    );
    this.#keyChecks = [...createKeyChecks(reader, description, source, { config, isAltered })];
    this.#texts = new TextCheck(reader, config.prefix, source);
  }

  get topic(): string {
    return this.#encoder.topic;
  }

  /** Writes rows as the records have them. */
  get held(): RowEncoder {
    return this.#encoder.held;
  }

  /** Of a row that was written. */
  keyText(row: readonly SqlValue[], first: number): string {
    for (const i of this.source.keyColumns) this.#writers[i]!(this.#text, row[first + i] as NonNullable<SqlValue>);
    return this.#text.take();
  }

  /** `first`: where the table's columns begin in the row; a change has its sequence number in front of them. */
  writeRow(op: Op, row: readonly SqlValue[], first: number, encoder = this.#encoder): void {
    // No old key: the triggers record a changed key as a delete and an insert.
    this.#writeAll(encoder.beginRow(op), row, first);
    encoder.endRow();
  }

  writeDelete(row: readonly SqlValue[], first: number): void {
    const encoder = this.#encoder;
    const to = encoder.beginDelete();
    if (encoder.oldRow === 'key') this.#writeKey(to, row, first);
    else this.#writeAll(to, row, first);
    encoder.endDelete();
  }

  #writeAll(to: ValueWriter, row: readonly SqlValue[], first: number): void {
    const writers = this.#writers;
    for (let i = 0; i < writers.length; i++) {
      const value = row[first + i]!;
      if (value === null) {
        if (this.source.keyColumns.includes(i)) throw this.#misfit(i, row, first);
        to.null();
        continue;
      }
      if (TextCheck.isSuspect(value)) this.#checkText(i, row, first);
      if (!writers[i]!(to, value)) throw this.#misfit(i, row, first);
    }
    for (const [i, check] of this.#keyChecks) this.#checkKey(check, i, row, first);
  }

  #writeKey(to: ValueWriter, row: readonly SqlValue[], first: number): void {
    const { keyColumns } = this.source;
    for (let k = 0; k < keyColumns.length; k++) {
      const i = keyColumns[k]!;
      const value = row[first + i]!;
      if (TextCheck.isSuspect(value)) this.#checkText(i, row, first);
      if (value === null || !this.#writers[i]!(to, value)) throw this.#misfit(i, row, first);
    }
    for (const [i, check] of this.#keyChecks) this.#checkKey(check, i, row, first);
  }

  #checkText(index: number, row: readonly SqlValue[], first: number): void {
    const invalid = first === 0 ? this.#texts.inTable(index) : this.#texts.inChange(row[first - 1]!, index);
    if (invalid) throw this.#notText(index, invalid);
  }

  #notText(index: number, { bytes, encoding, key }: InvalidText): AppError {
    const { table, columns, keyColumns } = this.source;
    const { name } = columns[index]!;
    const others = keyColumns.flatMap((k, i) => (k === index ? [] : [`${columns[k]!.name} = ${show(key[i]!)}`]));
    const leaveOut = keyColumns.includes(index)
      ? `the table out: table.exclude.list=${table}`
      : `the column out: column.exclude.list=${table}\\.${name}`;
    return new AppError('unconvertible-value', `table ${table}, column ${name}: TEXT that is not valid ${encoding}`, {
      detail: `${others.length > 0 ? `the row with ${others.join(', ')}` : 'a row'} holds the bytes ${show(bytes)}`,
      hint: `correct the row, or leave ${leaveOut}`,
    });
  }

  /** Only for a value that was written, so it is not null. */
  #checkKey(check: KeyCheck, index: number, row: readonly SqlValue[], first: number): void {
    const value = row[first + index]!;
    const objection = check(value!);
    if (objection === null) return;
    const { table, columns } = this.source;
    const { name, type } = columns[index]!;
    const asText = `read the column as text: sqlite.text.columns=${table}\\.${name}`;
    throw new AppError(
      'unconvertible-value',
      `table ${table}, column ${name}: ${show(value)} in the primary key ${objection}`,
      {
        detail: 'they are different rows in the file, and would be one row here',
        hint: type.kind === 'STRING' ? keyHint(table) : asText,
      },
    );
  }

  #misfit(index: number, row: readonly SqlValue[], first: number): AppError {
    const { columns, keyColumns } = this.source;
    const key = keyColumns.map((k) => `${columns[k]!.name} = ${show(row[first + k]!)}`).join(', ');
    return misfit({ table: this.source.table, column: columns[index]!, value: row[first + index]!, key });
  }
}

/** Announces a table and makes its writer. `isAltered`: the table is not in the file as it is described, and only its changes are written. */
export async function openTableWriter(
  installed: InstalledTable,
  config: SqliteSourceConfig,
  context: SourceContext,
  reader: SqliteDatabase,
  { isAltered, ...options }: OpenOptions & { readonly isAltered?: boolean } = {},
): Promise<TableWriter> {
  const source = sourceTableOf(installed, config);
  const encoder = await context.openTable(source, options);
  return new TableWriter(reader, installed, config, source, encoder, isAltered === true);
}
