// Stands between a source and the encoder of a table where the records have other columns than the table: some left out, replaced by a
// constant or written in another type, and constants behind them. What happens to a column is decided once per table; a row passes
// through without an object of its own.
import type { DataType, Value } from '../../core/data-type.js';
import type { ChangeOrigin } from '../../core/change-origin.js';
import type { Op } from '../../core/record.js';
import type { OldRow, RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';
import { writeCast, type Cast, type CastSource } from './cast-value.js';
import { changeFact, type FactName } from './change-facts.js';
import { beginningOf, hashOf, type TextHash } from './masked-text.js';
import { writeConvertedTime, type TimeConversion } from './time-conversion.js';
import { integerHalves, writeValue } from './write-value.js';

export type ColumnUse =
  | { readonly kind: 'keep' | 'drop' }
  /** NULL stays NULL, unless `ofNull`. */
  | { readonly kind: 'constant'; readonly type: DataType; readonly value: Value; readonly ofNull?: boolean }
  /** DECIMAL as text, as a double, or as 64 bits whose first one is the sign. */
  | { readonly kind: 'text' | 'double' | 'long' }
  /** BYTES as text. */
  | { readonly kind: 'base64' | 'base64url' | 'hex' }
  /** STRING as its hash, or its beginning. */
  | ({ readonly kind: 'hash' } & TextHash)
  /** Numbers, truth values and text as another of them. */
  | ({ readonly kind: 'cast' } & Cast)
  /** Days and times of the calendar as text or numbers. */
  | { readonly kind: 'time'; readonly conversion: TimeConversion }
  | { readonly kind: 'shorten'; readonly length: number };

/** A column that the source does not have. */
export type AddedColumn =
  /** One letter: `u` is a `c` where the key has changed, which the encoder of the record puts in its place. */
  | { readonly kind: 'op' }
  | { readonly kind: 'constant'; readonly type: DataType; readonly value: Value }
  /** What the source tells of the change. */
  | { readonly kind: 'fact'; readonly fact: FactName };

export interface Projection {
  /** By column of the source. */
  readonly columns: readonly ColumnUse[];
  readonly added: readonly AddedColumn[];
}

export class ProjectedRowEncoder implements RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  readonly oldRow: OldRow;
  /** Of rows as the records have them. */
  readonly held: RowEncoder;
  readonly #row: ProjectingWriter;
  readonly #key: ProjectingWriter;
  readonly #added: readonly AddedColumn[];
  readonly #origin: ChangeOrigin;
  readonly #tellsFacts: boolean;
  #op: Op = 'c';
  #wholeDelete = false;

  /** `table`: as the source has it. */
  constructor(table: SourceTable, to: RowEncoder, { columns, added }: Projection, origin: ChangeOrigin) {
    this.#origin = origin;
    this.#tellsFacts = added.some(({ kind }) => kind === 'fact');
    this.table = table;
    this.topic = to.topic;
    this.oldRow = to.oldRow;
    this.held = to;
    this.#row = new ProjectingWriter(columns);
    this.#key = new ProjectingWriter(table.keyColumns.map((column) => columns[column]!));
    this.#added = added;
  }

  beginOld(): ValueWriter {
    return (this.oldRow === 'whole' ? this.#row : this.#key).begin(this.held.beginOld());
  }

  endOld(): void {
    if (this.oldRow === 'whole') this.#writeAdded();
    this.held.endOld();
  }

  beginRow(op: Op): ValueWriter {
    this.#op = op;
    return this.#row.begin(this.held.beginRow(op));
  }

  endRow(): void {
    this.#writeAdded();
    this.held.endRow();
  }

  beginDelete(): ValueWriter {
    this.#op = 'd';
    this.#wholeDelete = this.oldRow !== 'key';
    return (this.#wholeDelete ? this.#row : this.#key).begin(this.held.beginDelete());
  }

  endDelete(): void {
    if (this.#wholeDelete) this.#writeAdded();
    this.held.endDelete();
  }

  #writeAdded(): void {
    for (const column of this.#added) {
      if (column.kind === 'op') this.#row.to.string(this.#op);
      else if (column.kind === 'constant') writeValue(this.#row.to, column.type, column.value);
      else {
        const { type, read } = changeFact(column.fact);
        writeValue(this.#row.to, type, read(this.#origin));
      }
    }
    if (this.#tellsFacts && this.#op !== 'r') this.#origin.row++;
  }
}

const microsOfDay = 86_400_000_000n;

class ProjectingWriter implements ValueWriter {
  to!: ValueWriter;
  readonly #uses: readonly ColumnUse[];
  #column = 0;

  constructor(uses: readonly ColumnUse[]) {
    this.#uses = uses;
  }

  begin(to: ValueWriter): ValueWriter {
    this.to = to;
    this.#column = 0;
    return this;
  }

  /** Whether the value at hand is written as it is; `value` is what a cast takes. */
  #keeps(value?: CastSource): boolean {
    const use = this.#uses[this.#column++]!;
    if (use.kind === 'keep') return true;
    if (use.kind === 'constant') writeValue(this.to, use.type, use.value);
    else if (use.kind === 'cast') writeCast(this.to, use, value!);
    return false;
  }

  #casts(): boolean {
    return this.#uses[this.#column]!.kind === 'cast';
  }

  #converts(): boolean {
    return this.#uses[this.#column]!.kind === 'time';
  }

  #time(micros: bigint): void {
    const use = this.#uses[this.#column++]!;
    if (use.kind === 'time') writeConvertedTime(this.to, use.conversion, micros);
  }

  null(): void {
    const use = this.#uses[this.#column++]!;
    if (use.kind === 'constant' && use.ofNull === true) writeValue(this.to, use.type, use.value);
    else if (use.kind !== 'drop') this.to.null();
  }
  boolean(value: boolean): void {
    if (this.#keeps(value)) this.to.boolean(value);
  }
  integer(value: number): void {
    if (this.#casts()) this.#keeps(BigInt(value));
    else if (this.#converts()) this.#time(BigInt(value) * microsOfDay);
    else if (this.#keeps()) this.to.integer(value);
  }
  int64(high: number, low: number): void {
    if (this.#casts()) this.#keeps((BigInt(high) << 32n) | BigInt(low));
    else if (this.#keeps()) this.to.int64(high, low);
  }
  double(value: number): void {
    if (this.#keeps(value)) this.to.double(value);
  }
  decimal(source: Buffer, start: number, end: number): void {
    switch (this.#uses[this.#column]!.kind) {
      case 'text':
        this.#column++;
        return this.to.utf8(source, start, end);
      case 'double':
        this.#column++;
        return this.to.double(Number(source.toString('latin1', start, end)));
      case 'long':
        this.#column++;
        return this.to.int64(...integerHalves(BigInt.asIntN(64, BigInt(source.toString('latin1', start, end)))));
      case 'cast':
        this.#keeps({ decimal: source.toString('latin1', start, end) });
        return;
      default:
        if (this.#keeps()) this.to.decimal(source, start, end);
    }
  }
  utf8(source: Buffer, start: number, end: number): void {
    const use = this.#uses[this.#column]!;
    if (use.kind === 'hash' || use.kind === 'shorten' || use.kind === 'cast')
      this.string(source.toString('utf8', start, end));
    else if (this.#keeps()) this.to.utf8(source, start, end);
  }
  string(value: string): void {
    const use = this.#uses[this.#column]!;
    if (use.kind === 'hash' || use.kind === 'shorten') {
      this.#column++;
      this.to.string(use.kind === 'hash' ? hashOf(value, use) : beginningOf(value, use.length));
    } else if (use.kind === 'cast') this.#keeps({ text: value });
    else if (this.#keeps()) this.to.string(value);
  }
  bytes(source: Buffer, start: number, end: number): void {
    const { kind } = this.#uses[this.#column]!;
    if (kind === 'base64' || kind === 'base64url' || kind === 'hex') {
      this.#column++;
      this.to.string(source.toString(kind, start, end));
    } else if (this.#keeps()) this.to.bytes(source, start, end);
  }
  micros(value: number): void {
    if (this.#converts()) this.#time(BigInt(value));
    else if (this.#keeps()) this.to.micros(value);
  }
  microsWide(high: number, low: number): void {
    if (this.#converts()) this.#time((BigInt(high) << 32n) | BigInt(low));
    else if (this.#keeps()) this.to.microsWide(high, low);
  }
  value(value: Value): void {
    if (this.#keeps()) this.to.value(value);
  }
}
