// Compressed events of MariaDB (log_bin_compress): statements and rows, as the events that they stand for.
import { inflateSync } from 'node:zlib';
import { AppError } from '../../core/errors.js';
import { eventTooLarge } from './answer-bounds.js';
import { eventType, header, headerSize } from './binlog-event.js';

/** What each stands for. */
const inflatedType: ReadonlyMap<number, number> = new Map([
  [eventType.mariadbQueryCompressed, eventType.query],
  [eventType.mariadbWriteRowsCompressedV1, eventType.writeRowsV1],
  [eventType.mariadbUpdateRowsCompressedV1, eventType.updateRowsV1],
  [eventType.mariadbDeleteRowsCompressedV1, eventType.deleteRowsV1],
  [eventType.mariadbWriteRowsCompressed, eventType.writeRows],
  [eventType.mariadbUpdateRowsCompressed, eventType.updateRows],
  [eventType.mariadbDeleteRowsCompressed, eventType.deleteRows],
]);
/** The largest packet that servers know: what is longer is damaged. */
const bytesOfServersMax = 2 ** 30;

export function isCompressed(event: Buffer): boolean {
  return inflatedType.has(header.type(event));
}

export function isCompressedQuery(event: Buffer): boolean {
  return header.type(event) === eventType.mariadbQueryCompressed;
}

/** The event with its last part inflated, and the type and length of what it is then. */
export function inflateEvent(event: Buffer, bytesMax: number): Buffer {
  const type = inflatedType.get(header.type(event))!;
  const at = type === eventType.query ? queryAt(event) : rowsAt(event, type);
  // How many bytes the length has (the low three bits of the first byte), and the length, high byte first.
  const width = event[at]! & 7;
  if (width < 1 || width > 4 || (event[at]! & 0x70) !== 0) throw broken('it is compressed in an unknown way');
  const length = event.readUIntBE(at + 1, width);
  if (length > bytesOfServersMax) throw broken(`it would have ${length} bytes`);
  if (length > bytesMax) throw eventTooLarge(length);
  let content: Buffer;
  try {
    content = inflateSync(event.subarray(at + 1 + width), { maxOutputLength: Math.max(1, length) });
  } catch (cause) {
    throw broken(String(cause), cause);
  }
  if (content.length !== length) throw broken(`it has ${content.length} bytes instead of ${length}`);
  const whole = Buffer.allocUnsafeSlow(at + length);
  event.copy(whole, 0, 0, at);
  content.copy(whole, at);
  whole[4] = type;
  whole.writeUInt32LE(whole.length, 9);
  return whole;
}

/** Where the statement begins. */
function queryAt(event: Buffer): number {
  return headerSize + 13 + event.readUInt16LE(headerSize + 11) + event[headerSize + 8]! + 1;
}

/** Where the images of the rows begin. */
function rowsAt(event: Buffer, type: number): number {
  let at = headerSize + 8;
  if (type >= eventType.writeRows) at += event.readUInt16LE(at);
  let columnCount = event[at++]!;
  if (columnCount === 0xfc) {
    columnCount = event.readUInt16LE(at);
    at += 2;
  }
  const isUpdate = type === eventType.updateRows || type === eventType.updateRowsV1;
  return at + ((columnCount + 7) >> 3) * (isUpdate ? 2 : 1);
}

function broken(why: string, cause?: unknown): AppError {
  return new AppError('corrupt-binlog', `a compressed event cannot be inflated: ${why}`, { cause });
}
