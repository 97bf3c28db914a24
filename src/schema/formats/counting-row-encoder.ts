// Counts the events of a table in their transaction, where that is to be told and the records themselves do not. A changed key is two
// events, a delete one, whatever records they make.
import type { ChangeOrigin } from '../../core/change-origin.js';
import type { Op } from '../../core/record.js';
import type { ChunkBuilder, OldRow, RowEncoder, SourceTable, ValueWriter } from '../../core/row-encoder.js';

export class CountingRowEncoder implements RowEncoder {
  readonly table: SourceTable;
  readonly topic: string;
  readonly oldRow: OldRow;
  readonly held: RowEncoder;
  readonly #to: RowEncoder;
  readonly #chunks: ChunkBuilder;
  readonly #origin: ChangeOrigin;
  readonly #name: string;

  constructor(to: RowEncoder, chunks: ChunkBuilder) {
    this.table = to.table;
    this.topic = to.topic;
    this.oldRow = to.oldRow;
    this.held = to.held === to ? this : new CountingRowEncoder(to.held, chunks);
    this.#to = to;
    this.#chunks = chunks;
    this.#origin = chunks.origin;
    this.#name = `${to.table.database}.${to.table.table}`;
  }

  beginOld(): ValueWriter {
    return this.#to.beginOld();
  }
  endOld(): void {
    this.#to.endOld();
  }
  beginRow(op: Op): ValueWriter {
    return this.#to.beginRow(op);
  }
  endRow(): void {
    const before = this.#chunks.recordCount;
    this.#to.endRow();
    for (let i = this.#chunks.recordCount - before; i > 0; i--) this.#origin.count(this.#name);
  }
  beginDelete(): ValueWriter {
    return this.#to.beginDelete();
  }
  endDelete(): void {
    this.#to.endDelete();
    this.#origin.count(this.#name);
  }
}
