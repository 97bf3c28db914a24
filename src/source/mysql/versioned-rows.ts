// Rows of a table WITH SYSTEM VERSIONING (MariaDB): the binlog has the rows of the past, too. Only rows that are in force count: one
// that ends is deleted, whatever its other columns say, and what is written or taken away of the past is nobody's row here.
import type { OpenTable } from './captured-tables.js';
import type { RowDecoder } from './row-decoder.js';

interface VersionedTable {
  readonly open: OpenTable;
  readonly decoder: RowDecoder;
}

const timestampSize = 7;
const seconds2038 = 0x7fff_ffff;
/** Since MariaDB 11.5. */
const seconds2106 = 0xffff_ffff;
const lastMicros = 999_999;

/** Whether the row image at `at` is in force: until the end of time. */
function inForce(event: Buffer, at: number, decoder: RowDecoder): boolean {
  const end = decoder.valueAt(event, at, decoder.rowEnd!);
  if (end < 0 || decoder.sizeOf(decoder.rowEnd!) !== timestampSize) return true;
  const seconds = event.readUInt32BE(end);
  return (seconds === seconds2038 || seconds === seconds2106) && event.readUIntBE(end + 4, 3) === lastMicros;
}

type ReadImage = (event: Buffer, at: number, table: OpenTable, decoder: RowDecoder) => number;

const inserted: ReadImage = (event, at, { encoder }, decoder) => {
  const next = decoder.readRow(event, at, encoder.beginRow('c'));
  encoder.endRow();
  return next;
};

const deleted: ReadImage = (event, at, { encoder }, decoder) => {
  const to = encoder.beginDelete();
  const next = encoder.oldRow === 'key' ? decoder.readKey(event, at, to) : decoder.readRow(event, at, to);
  encoder.endDelete();
  return next;
};

/** Inserts and deletes; returns how many rows there are, those of the past included. */
export function readVersionedRows(
  event: Buffer,
  start: number,
  { open, decoder }: VersionedTable,
  { passOver, deletes, recordKey }: { passOver: number; deletes: boolean; recordKey: ReadImage },
): number {
  const read = deletes ? deleted : inserted;
  let at = start;
  let count = 0;
  for (; at < event.length; count++) {
    const counts = inForce(event, at, decoder);
    if (counts && open.windows.length > 0) recordKey(event, at, open, decoder);
    at = counts && count >= passOver ? read(event, at, open, decoder) : decoder.skipRow(event, at);
  }
  return count;
}

/** A row that ends is deleted; what was of the past already stays unseen. */
export function readVersionedUpdates(
  event: Buffer,
  start: number,
  { open, decoder }: VersionedTable,
  { passOver, recordKey }: { passOver: number; recordKey: ReadImage },
): number {
  const { encoder } = open;
  let at = start;
  let count = 0;
  for (; at < event.length; count++) {
    const after = decoder.skipRow(event, at);
    const next = decoder.skipRow(event, after);
    const before = inForce(event, at, decoder);
    const now = inForce(event, after, decoder);
    if (open.windows.length > 0) {
      if (before) recordKey(event, at, open, decoder);
      if (now) recordKey(event, after, open, decoder);
    }
    if (count >= passOver) {
      if (before && now) {
        const to = encoder.beginOld();
        if (encoder.oldRow === 'whole') decoder.readRow(event, at, to);
        else decoder.readKey(event, at, to);
        encoder.endOld();
        decoder.readRow(event, after, encoder.beginRow('u'));
        encoder.endRow();
      } else if (before) {
        deleted(event, at, open, decoder);
      } else if (now) {
        inserted(event, after, open, decoder);
      }
    }
    at = next;
  }
  return count;
}
