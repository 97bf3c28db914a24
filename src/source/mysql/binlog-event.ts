// Events of the binlog as bytes: the common header, the type codes, and the small events that carry transactions and positions.
// An event here is a buffer that begins with the header and ends before the checksum.
import { crc32 } from 'node:zlib';
import { crc32OfShort } from '../../core/crc.js';
import { AppError } from '../../core/errors.js';
import type { Gtid } from './gtid-set.js';
import type { MariadbGtid } from './mariadb-gtid.js';
import type { FileOffset } from './position.js';

export const eventType = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  gtidTagged: 42,
  mariadbAnnotateRows: 160,
  mariadbCheckpoint: 161,
  mariadbGtid: 162,
  mariadbGtidList: 163,
  mariadbStartEncryption: 164,
  mariadbQueryCompressed: 165,
  mariadbWriteRowsCompressedV1: 166,
  mariadbUpdateRowsCompressedV1: 167,
  mariadbDeleteRowsCompressedV1: 168,
  mariadbWriteRowsCompressed: 169,
  mariadbUpdateRowsCompressed: 170,
  mariadbDeleteRowsCompressed: 171,
} as const;

/** Bytes of the header: seconds (4), type (1), server id (4), size (4), end offset in the file (4), flags (2). */
export const headerSize = 19;

/** LOG_EVENT_IGNORABLE_F: a reader that does not know the type may pass over the event. */
export const ignorableFlag = 0x80;

/** LOG_EVENT_ARTIFICIAL_F: the server has made the event up, and it is in no file. */
export const artificialFlag = 0x20;

const rowsTypes = Uint8Array.from({ length: 256 });
for (const type of [
  eventType.writeRows,
  eventType.writeRowsV1,
  eventType.updateRows,
  eventType.updateRowsV1,
  eventType.deleteRows,
  eventType.deleteRowsV1,
  eventType.partialUpdateRows,
])
  rowsTypes[type] = 1;

/** Of an event with images of rows that is not compressed. Asked of every event. */
export function isRowsEvent(type: number): boolean {
  return rowsTypes[type] === 1;
}

export const header = {
  seconds: (event: Buffer) => event.readUInt32LE(0),
  type: (event: Buffer) => event[4]!,
  serverId: (event: Buffer) => event.readUInt32LE(5),
  /** With the checksum. */
  size: (event: Buffer) => event.readUInt32LE(9),
  /** Offset of the next event in the file; 0 in events that the server makes up, and inside MariaDB's transactions. */
  nextOffset: (event: Buffer) => event.readUInt32LE(13),
  flags: (event: Buffer) => event.readUInt16LE(17),
} as const;

/** From so many bytes on zlib is as fast (measured on Node 20); most events of small transactions are shorter. */
const shortBytes = 300;

/** CRC-32 of an event that lies from `start` to `end`. */
export function checksumOf(bytes: Buffer, start: number, end: number): number {
  return end - start < shortBytes ? crc32OfShort(bytes, start, end) : crc32(bytes.subarray(start, end));
}

function printUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The same source writes nearly every transaction: its text is made once. */
const lastUuid = { bytes: Buffer.alloc(16), text: printUuid(Buffer.alloc(16)) };

function uuidAt(event: Buffer, at: number): string {
  const { bytes } = lastUuid;
  for (let i = 0; i < 16; i++) {
    if (event[at + i] === bytes[i]) continue;
    event.copy(bytes, 0, at, at + 16);
    lastUuid.text = printUuid(bytes);
    break;
  }
  return lastUuid.text;
}

function uint64(event: Buffer, at: number): number {
  return event.readUInt32LE(at) + event.readUInt32LE(at + 4) * 4_294_967_296;
}

export interface MysqlTransaction {
  /** Undefined for anonymous transactions. */
  readonly gtid: Gtid | undefined;
  readonly commitTimeUs: number;
}

/** Types gtid and anonymousGtid. The original commit time is kept through replication, so it is the same on every server. */
export function parseGtid(event: Buffer): MysqlTransaction {
  const body = headerSize;
  const anonymous = header.type(event) === eventType.anonymousGtid;
  const gtid = anonymous ? undefined : { uuid: uuidAt(event, body + 1), tag: '', number: uint64(event, body + 17) };
  // Flags 1, uuid 16, number 8, type 1, logical clock 8 + 8, then the commit times of 7 bytes each; the top bit of the first
  // says that the original one follows.
  const at = body + 42;
  if (event.length < at + 7) return { gtid, commitTimeUs: header.seconds(event) * 1_000_000 };
  const original = (event[at + 6]! & 0x80) !== 0;
  return { gtid, commitTimeUs: original ? micros7(event, at + 7) : micros7(event, at) };
}

function micros7(event: Buffer, at: number): number {
  return event.readUIntLE(at, 6) + (event[at + 6]! & 0x7f) * 2 ** 48;
}

/** Numbers of MySQL's serialization library: as many more bytes as the first byte has trailing one-bits. */
class Fields {
  readonly #event: Buffer;
  at: number;

  constructor(event: Buffer, at: number) {
    this.#event = event;
    this.at = at;
  }

  unsigned(): bigint {
    const first = this.#event[this.at++]!;
    let more = 0;
    while (more < 8 && ((first >> more) & 1) === 1) more++;
    let rest = 0n;
    for (let i = 0; i < more; i++) rest |= BigInt(this.#event[this.at++]!) << BigInt(8 * i);
    return more === 8 ? rest : BigInt(first >> (more + 1)) | (rest << BigInt(7 - more));
  }

  signed(): bigint {
    const value = this.unsigned();
    return (value & 1n) === 1n ? -(value >> 1n) - 1n : value >> 1n;
  }

  text(): string {
    const length = Number(this.unsigned());
    this.at += length;
    return this.#event.toString('latin1', this.at - length, this.at);
  }
}

/** Type gtidTagged: one message of numbered fields, rising, those with default values left out. */
export function parseTaggedGtid(event: Buffer): MysqlTransaction {
  const fields = new Fields(event, headerSize);
  if (fields.unsigned() !== 1n) throw new AppError('corrupt-binlog', 'a tagged GTID event has an unknown version');
  const end = headerSize + Number(fields.unsigned());
  fields.unsigned();
  const uuid = Buffer.alloc(16);
  let number = 0;
  let tag = '';
  let immediate = 0;
  let original = 0;
  // 0 flags, 1 uuid, 2 number, 3 tag, 4 and 5 logical clock, 6 immediate and 7 original commit time; the rest is not needed.
  while (fields.at < end) {
    const id = Number(fields.unsigned());
    if (id > 7) break;
    if (id === 1) for (let i = 0; i < 16; i++) uuid[i] = Number(fields.unsigned());
    else if (id === 2) number = Number(fields.signed());
    else if (id === 3) tag = fields.text();
    else if (id === 4 || id === 5) fields.signed();
    else if (id === 6) immediate = Number(fields.unsigned());
    else if (id === 7) original = Number(fields.unsigned());
    else fields.unsigned();
  }
  return { gtid: { uuid: printUuid(uuid), tag, number }, commitTimeUs: original || immediate };
}

export interface MariadbTransaction {
  readonly gtid: MariadbGtid;
  /** The group is this event and one more, such as a DDL statement. */
  readonly standalone: boolean;
  /** The group is an XA transaction up to its XA PREPARE. */
  readonly prepared: boolean;
}

export function parseMariadbGtid(event: Buffer): MariadbTransaction {
  const at = headerSize;
  const gtid = {
    domain: event.readUInt32LE(at + 8),
    server: header.serverId(event),
    sequence: event.readBigUInt64LE(at),
  };
  const flags = event[at + 12]!;
  return { gtid, standalone: (flags & 1) !== 0, prepared: (flags & 0x40) !== 0 };
}

export function parseRotate(event: Buffer): FileOffset {
  return { file: event.toString('utf8', headerSize + 8), offset: uint64(event, headerSize) };
}

/** File and offset of a heartbeat. MariaDB puts an offset beyond 4 GiB before the name, with 0 in the header. */
export function parseHeartbeat(event: Buffer): FileOffset | undefined {
  if (header.type(event) !== eventType.heartbeat) return undefined;
  const offset = header.nextOffset(event);
  if (offset > 0) return { file: event.toString('utf8', headerSize), offset };
  if (event.length <= headerSize + 8) return undefined;
  return { file: event.toString('utf8', headerSize + 8), offset: uint64(event, headerSize) };
}

export interface XaPrepare {
  /** XA COMMIT ... ONE PHASE: it is committed here. */
  readonly onePhase: boolean;
  /** As statements name it, `X'6162',X'',1`. */
  readonly xid: string;
}

/** The end of the rows of an XA transaction: one byte, then the number of the form and two lengths (4 bytes each), then the id's parts. */
export function parseXaPrepare(event: Buffer): XaPrepare {
  const at = headerSize;
  const [form, first, second] = [event.readUInt32LE(at + 1), event.readUInt32LE(at + 5), event.readUInt32LE(at + 9)];
  const hex = event.toString('hex', at + 13, at + 13 + first + second);
  return { onePhase: event[at] !== 0, xid: xidText(hex.slice(0, 2 * first), hex.slice(2 * first), form) };
}

/** The id that XA COMMIT or XA ROLLBACK names; both servers write it in one form, whatever the session wrote. */
export function xidOf(sql: string): string | undefined {
  const match = /^\s*XA\s+\w+\s+X'([0-9a-f]*)'\s*,\s*X'([0-9a-f]*)'\s*,\s*(\d+)/i.exec(sql);
  return match ? xidText(match[1]!.toLowerCase(), match[2]!.toLowerCase(), Number(match[3])) : undefined;
}

function xidText(first: string, second: string, form: number): string {
  return `X'${first}',X'${second}',${form}`;
}

export interface QueryEvent {
  readonly database: string;
  readonly sql: string;
  /** Undefined: `sql` is the whole text. */
  readonly whole: (() => string) | undefined;
  /** Databases that the statement wrote to, where the server says so. */
  readonly updatedDatabases: readonly string[] | undefined;
}

export function wholeText({ whole, sql }: QueryEvent): string {
  return whole?.() ?? sql;
}

/** Statement text is cut to what tells rows written as text, which may be very long, from all else. */
const sqlBytesMax = 1 << 16;

export function parseQuery(event: Buffer): QueryEvent {
  const body = headerSize;
  const databaseLength = event[body + 8]!;
  const variablesEnd = body + 13 + event.readUInt16LE(body + 11);
  const sqlStart = variablesEnd + databaseLength + 1;
  const cut = event.length - sqlStart > sqlBytesMax;
  return {
    database: event.toString('utf8', variablesEnd, variablesEnd + databaseLength),
    sql: event.toString('utf8', sqlStart, Math.min(event.length, sqlStart + sqlBytesMax)),
    whole: cut ? () => event.toString('utf8', sqlStart) : undefined,
    updatedDatabases: updatedDatabases(event, body + 13, variablesEnd),
  };
}

/** Of a query: the number of the connection that wrote it. */
export function threadOf(event: Buffer): number {
  return event.readUInt32LE(headerSize);
}

/** True for a query event whose text is exactly this ASCII word: the two that come with every transaction. */
export function isQuery(event: Buffer, word: string): boolean {
  const body = headerSize;
  const start = body + 13 + event.readUInt16LE(body + 11) + event[body + 8]! + 1;
  if (event.length - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (event[start + i] !== word.charCodeAt(i)) return false;
  return true;
}

/** Of a query: the number of the collation that the client's text has; undefined: the server does not say. */
export function clientCollationOf(event: Buffer): number | undefined {
  const start = headerSize + 13;
  const at = variableAt(event, start, start + event.readUInt16LE(headerSize + 11), 4);
  return at === undefined ? undefined : event.readUInt16LE(at);
}

/** The bytes of the text of a query. */
export function queryBytes(event: Buffer): Buffer {
  return event.subarray(headerSize + 13 + event.readUInt16LE(headerSize + 11) + event[headerSize + 8]! + 1);
}

function updatedDatabases(event: Buffer, start: number, end: number): string[] | undefined {
  const found = variableAt(event, start, end, 12);
  if (found === undefined) return undefined;
  const count = event[found]!;
  let at = found + 1;
  // 254: more than the list can hold.
  if (count === 254) return undefined;
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const stop = event.indexOf(0, at);
    names.push(event.toString('utf8', at, stop));
    at = stop + 1;
  }
  return names;
}

const sizesOfVariables: Readonly<Record<number, number>> = {
  0: 4,
  1: 8,
  3: 4,
  4: 6,
  7: 2,
  8: 2,
  9: 8,
  10: 4,
  13: 3,
  16: 1,
  17: 8,
  18: 2,
  19: 1,
  20: 1,
};

/** Where the value of a status variable begins. They are a code and a value whose size the code implies; unknown codes end the walk. */
function variableAt(event: Buffer, start: number, end: number, wanted: number): number | undefined {
  let at = start;
  while (at < end) {
    const code = event[at++]!;
    if (code === wanted) return at;
    const size = sizesOfVariables[code];
    if (size !== undefined) {
      at += size;
    } else if (code === 2) {
      at += event[at]! + 2;
    } else if (code === 5 || code === 6) {
      at += event[at]! + 1;
    } else if (code === 11) {
      at += event[at]! + 1;
      at += event[at]! + 1;
    } else {
      return undefined;
    }
  }
  return undefined;
}
