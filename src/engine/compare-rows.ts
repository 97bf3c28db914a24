// Rows of a source beside those that are held, for the connector that writes them (connect/row-comparison.ts): decoded as records of the
// table are, so that the answer is what these records would change.
import type { CompareRowsRequest } from '../connect/row-comparison.js';
import { sameRow } from '../core/compare.js';
import type { Row, RowSchema } from '../core/data-type.js';
import { emptyRange, RecordSet } from '../core/record.js';
import type { SourceEntry } from '../catalog/catalog.js';
import type { RecordDecoder } from '../runtime/source-node.js';
import { createRowPrinter } from '../schema/formats/row-printer.js';
import type { RecordDifference } from '../source/verification.js';
import { heldEntry, type HeldRowsParts } from './held-rows.js';

export interface CompareRowsParts extends HeldRowsParts {
  readonly decoderOf: (entry: SourceEntry) => RecordDecoder;
}

export function compareRows(
  { catalog, runtime, decoderOf }: CompareRowsParts,
  { connector, table, chunk }: CompareRowsRequest,
): readonly RecordDifference[] | 'unknown' {
  const entry = heldEntry(catalog, connector, table);
  if (entry === undefined) return 'unknown';
  const decoder = decoderOf(entry);
  const { writer } = runtime.table(entry.name);
  const records = recordsOf(chunk);
  const found: RecordDifference[] = [];
  let print:
    ((key: Row, ours: Row | null, source: Row | null) => Pick<RecordDifference, 'key' | 'ours' | 'source'>) | undefined;
  const range = emptyRange();
  for (let record = 0; record < records.count; record++) {
    const key = decoder.key(records.findKey(record, range) ? range : null);
    const source = records.findValue(record, range) ? decoder.row(key, range) : null;
    // A row that is damaged is one that differs: the source tells what it was.
    const held = writer.peek(key);
    const ours = held?.row ?? null;
    if (ours === null ? source === null : source !== null && held!.sound && sameRow(ours, source)) continue;
    print ??= printerOf(entry.schema);
    // Whoever reads the whole table compares the rows that it finds with their number.
    writer.recount();
    const kind = ours === null ? 'missing' : source === null ? 'ghost' : 'different';
    found.push({ record, kind, ...print(key, ours, source) });
  }
  return found;
}

function recordsOf({ data, topics, extents, recordCount }: CompareRowsRequest['chunk']): RecordSet {
  const buffers = [Buffer.from(data.buffer, data.byteOffset, data.length)];
  return new RecordSet({ buffers, topics, extents, count: recordCount });
}

function printerOf({ columns, keyColumns }: RowSchema) {
  const row = createRowPrinter({ columns }, { numbers: 'strings' });
  const ofKey = createRowPrinter({ columns: keyColumns.map((i) => columns[i]!) }, { numbers: 'strings' });
  return (key: Row, ours: Row | null, source: Row | null) => ({
    key: ofKey(key),
    ours: ours && row(ours),
    source: source && row(source),
  });
}
