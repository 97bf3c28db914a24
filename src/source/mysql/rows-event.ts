// A rows event to the encoder of its table: the hot loop of capture. The row image must be complete, and what the decoder leaves
// over must be nothing.
import { AppError } from '../../core/errors.js';
import type { OpenTable } from './captured-tables.js';
import { eventType, header, headerSize } from './binlog-event.js';
import { KeyText } from '../key-text.js';
import type { RowDecoder } from './row-decoder.js';
import { inRow } from './unconvertible.js';
import { readVersionedRows, readVersionedUpdates } from './versioned-rows.js';

export interface RowsTable {
  readonly open: OpenTable;
  readonly decoder: RowDecoder;
}

const keyText = new KeyText();

/** Hands over the rows but for the first `passOver`; returns how many there are in all. `file`: the binlog that the event is in. */
export function readRows(event: Buffer, table: RowsTable, passOver: number, file: string): number {
  try {
    return readImages(event, table, passOver);
  } catch (error) {
    const end = `${file}:${header.nextOffset(event)}`;
    throw inRow(
      error,
      () =>
        `row of ${table.open.name} with ${table.decoder.describeRow(event)} in the event of the binlog that ends at ${end}`,
    );
  }
}

function readImages(event: Buffer, table: RowsTable, passOver: number): number {
  const { change, at } = firstImage(event, table);
  if (table.decoder.rowEnd !== undefined) {
    return change === 'update'
      ? readVersionedUpdates(event, at, table, { passOver, recordKey })
      : readVersionedRows(event, at, table, { passOver, deletes: change === 'delete', recordKey });
  }
  switch (change) {
    case 'insert':
      return inserts(event, at, table, passOver);
    case 'update':
      return updates(event, at, table, passOver);
    case 'delete':
      return deletes(event, at, table, passOver);
  }
}

/** The session had foreign_key_checks off: nothing follows from these rows on the server. */
export function withoutForeignKeys(event: Buffer): boolean {
  return (event.readUInt16LE(headerSize + 6) & 2) !== 0;
}

export type RowsChange = 'insert' | 'update' | 'delete';

/** What is done to the rows, and where the first image lies: one per row, or the old and the new one of each updated row. */
export function firstImage(event: Buffer, table: RowsTable): { readonly change: RowsChange; readonly at: number } {
  const type = header.type(event);
  const v2 = type >= eventType.writeRows;
  // Table id 6, flags 2, and in the second version extra bytes with their length in front.
  let at = headerSize + 8;
  if (v2) at += event.readUInt16LE(at);
  let columnCount = event[at++]!;
  if (columnCount === 0xfc) {
    columnCount = event.readUInt16LE(at);
    at += 2;
  }
  const { decoder } = table;
  if (columnCount !== decoder.columnCount) {
    throw new AppError(
      'corrupt-binlog',
      `rows of ${table.open.name} have ${columnCount} columns, their table map ${decoder.columnCount}`,
    );
  }
  at = completeImage(event, at, columnCount, table);
  switch (type) {
    case eventType.writeRows:
    case eventType.writeRowsV1:
      return { change: 'insert', at };
    case eventType.updateRows:
    case eventType.updateRowsV1:
      return { change: 'update', at: completeImage(event, at, columnCount, table) };
    default:
      return { change: 'delete', at };
  }
}

/** All columns must be in the image: which were left out, and what they hold, could only be guessed. */
function completeImage(event: Buffer, at: number, columnCount: number, table: RowsTable): number {
  const bytes = (columnCount + 7) >> 3;
  for (let i = 0; i < bytes; i++) {
    const wanted = i < bytes - 1 || (columnCount & 7) === 0 ? 0xff : (1 << (columnCount & 7)) - 1;
    if ((event[at + i]! & wanted) !== wanted) {
      throw new AppError('statement-format-change', `a row image of ${table.open.name} does not hold all columns`, {
        hint: "SET GLOBAL binlog_row_image = 'FULL', and let no session change it",
      });
    }
  }
  return at + bytes;
}

function inserts(event: Buffer, start: number, { open, decoder }: RowsTable, passOver: number): number {
  const { encoder } = open;
  let at = start;
  let count = 0;
  while (at < event.length) {
    if (open.windows.length > 0) recordKey(event, at, open, decoder);
    if (count++ < passOver) {
      at = decoder.skipRow(event, at);
    } else {
      at = decoder.readRow(event, at, encoder.beginRow('c'));
      encoder.endRow();
    }
  }
  return atEnd(event, at, count, open);
}

function updates(event: Buffer, start: number, { open, decoder }: RowsTable, passOver: number): number {
  const { encoder } = open;
  const { oldRow } = encoder;
  let at = start;
  let count = 0;
  while (at < event.length) {
    if (open.windows.length > 0) recordKey(event, recordKey(event, at, open, decoder), open, decoder);
    if (count++ < passOver) {
      at = decoder.skipRow(event, decoder.skipRow(event, at));
    } else if (oldRow === 'of-deletes') {
      const after = decoder.skipRow(event, at);
      const isMoved = !decoder.sameKey(event, at, after);
      if (isMoved) {
        decoder.readRow(event, at, encoder.beginDelete());
        encoder.endDelete();
      }
      at = decoder.readRow(event, after, encoder.beginRow(isMoved ? 'c' : 'u'));
      encoder.endRow();
    } else {
      const to = encoder.beginOld();
      at = oldRow === 'key' ? decoder.readKey(event, at, to) : decoder.readRow(event, at, to);
      encoder.endOld();
      at = decoder.readRow(event, at, encoder.beginRow('u'));
      encoder.endRow();
    }
  }
  return atEnd(event, at, count, open);
}

function deletes(event: Buffer, start: number, { open, decoder }: RowsTable, passOver: number): number {
  const { encoder } = open;
  const { oldRow } = encoder;
  let at = start;
  let count = 0;
  while (at < event.length) {
    if (open.windows.length > 0) recordKey(event, at, open, decoder);
    if (count++ < passOver) {
      at = decoder.skipRow(event, at);
    } else {
      const to = encoder.beginDelete();
      at = oldRow === 'key' ? decoder.readKey(event, at, to) : decoder.readRow(event, at, to);
      encoder.endDelete();
    }
  }
  return atEnd(event, at, count, open);
}

function recordKey(event: Buffer, at: number, open: OpenTable, decoder: RowDecoder): number {
  const next = decoder.readKey(event, at, keyText);
  const key = keyText.take();
  for (const window of open.windows) window.add(key);
  return next;
}

function atEnd(event: Buffer, at: number, count: number, open: OpenTable): number {
  if (at !== event.length)
    throw new AppError('corrupt-binlog', `rows of ${open.name} do not end where their event ends`);
  return count;
}
