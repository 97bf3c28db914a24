// Where the source is, as text that is stored with each append. A position is a set, not a point: what is applied is what the
// set contains, so it survives a failover to a replica. Servers without GTIDs have a file and an offset. While the first
// snapshot runs, its cursor is part of the position, so that a restart goes on at the chunk.
import { AppError } from '../../core/errors.js';
import { parseAltered, printAltered, type AlteredTable } from './altered-tables.js';
import { GtidSet, type Gtid } from './gtid-set.js';
import { MariadbPosition, type MariadbGtid } from './mariadb-gtid.js';
import { isPrepared, printPrepared, type Prepared } from './prepared.js';
import { parseStopped, printStopped, type StoppedTable } from './stopped-tables.js';

export interface FileOffset {
  readonly file: string;
  readonly offset: number;
}

export type StreamPosition =
  | { readonly kind: 'mysql-gtid'; readonly gtids: GtidSet }
  | { readonly kind: 'mariadb-gtid'; readonly gtids: MariadbPosition }
  | {
      readonly kind: 'file';
      readonly at: FileOffset;
      /** UUID of the server whose file it is: another's of that name holds other transactions. Undefined in positions of before. */
      readonly server?: string | undefined;
    };

/**
 * What has still to be read of the tables. `table` (database.table) is at hand, and `key` is the last of its keys that was handed over, as
 * SQL literals; null key: none yet, null table: nothing yet.
 */
export interface SnapshotCursor {
  readonly table: string | null;
  readonly key: readonly string[] | null;
  /**
   * Of a first snapshot: what has been read are the tables of a lesser name than `table`, but for these, which are read at the same time;
   * each with the last of its keys that was handed over.
   */
  readonly beside?: Readonly<Record<string, readonly string[] | null>> | undefined;
  /**
   * Tables whose rows follow those of others are read before all else (linked-snapshot.ts): `begun`, which has to begin anew, or those that
   * have been read.
   */
  readonly linked?: 'begun' | readonly string[] | undefined;
  /** To be read again behind that, in this order. Of a first snapshot; or, with `table` the first of them, of nothing else. */
  readonly again?: readonly string[] | undefined;
  /** Of those, tables of which only some rows are read, with the condition that they meet. */
  readonly where?: Readonly<Record<string, string>> | undefined;
  /** The first snapshot is over: only `again` is read. */
  readonly only?: true | undefined;
}

export interface Position {
  readonly stream: StreamPosition;
  readonly snapshot: SnapshotCursor | undefined;
  readonly stopped?: readonly StoppedTable[] | undefined;
  readonly altered?: readonly AlteredTable[] | undefined;
  /** Transactions of the stream's part whose rows are still to come (prepared.ts). */
  readonly prepared?: readonly Prepared[] | undefined;
  /** Somebody has set it (set-position.ts): all tables are called for at the next start. */
  readonly moved?: boolean | undefined;
}

export function printPosition({
  stream,
  snapshot,
  stopped = [],
  altered = [],
  prepared = [],
  moved,
}: Position): string {
  const beside = (snapshot ? printCursor(snapshot) : '') + printStopped(stopped) + printAltered(altered);
  return printStream(stream, printPrepared(prepared) + beside + (moved ? ',"moved":true' : ''));
}

/** The hot half: `rest` is the text of what changes far less often than the stream's part. */
export function printStream(stream: StreamPosition, rest: string): string {
  const part =
    stream.kind === 'file'
      ? `"file":${JSON.stringify(stream.at.file)},"pos":${stream.at.offset}${stream.server ? `,"server":"${stream.server}"` : ''}`
      : `"gtids":"${stream.gtids.toString()}"`;
  return `{"kind":"${stream.kind}",${part}${rest}}`;
}

export function printCursor(cursor: SnapshotCursor): string {
  const { table, key, beside, linked, again, where, only } = cursor;
  return `,"snapshot":${JSON.stringify({ table, key, beside, linked, again, where, only })}`;
}

export function parsePosition(text: string): Position {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed(text, cause);
  }
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const snapshot = fields['snapshot'] === undefined ? undefined : parseCursor(fields['snapshot'], text);
  const stopped = parseStopped(fields['stopped']);
  const altered = parseAltered(fields['altered']);
  if (stopped === undefined || altered === undefined) throw malformed(text);
  const { kind, gtids, file, pos, server, prepared = [], moved } = fields;
  if (!isPrepared(prepared)) throw malformed(text);
  const rest = {
    snapshot,
    prepared,
    ...(stopped.length > 0 && { stopped }),
    ...(altered.length > 0 && { altered }),
    ...(moved === true && { moved: true }),
  };
  if (kind === 'mysql-gtid' && typeof gtids === 'string')
    return { stream: { kind, gtids: GtidSet.parse(gtids) }, ...rest };
  if (kind === 'mariadb-gtid' && typeof gtids === 'string') {
    return { stream: { kind, gtids: MariadbPosition.parse(gtids) }, ...rest };
  }
  if (kind === 'file' && typeof file === 'string' && typeof pos === 'number' && Number.isSafeInteger(pos) && pos >= 4) {
    if (server !== undefined && (typeof server !== 'string' || !/^[\da-f-]{36}$/i.test(server))) throw malformed(text);
    return { stream: { kind, at: { file, offset: pos }, server }, ...rest };
  }
  throw malformed(text);
}

/** Key values go into statements, so only what our own literals look like is let in. */
const literal = /^(?:-?\d[\d.]*(?:e-?\d+)?|(?:_[a-z0-9]+ )?X'[0-9A-F]*'|'[0-9 :.-]*')$/;

function parseCursor(json: unknown, text: string): SnapshotCursor {
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const { table, key, beside, linked, again, where, only } = fields;
  const isKey = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((part) => typeof part === 'string' && literal.test(part));
  const isKeys = (value: unknown): value is SnapshotCursor['beside'] =>
    value === undefined ||
    (typeof value === 'object' && value !== null && Object.values(value).every((each) => each === null || isKey(each)));
  const isNames = (value: unknown): value is string[] | undefined =>
    value === undefined || (Array.isArray(value) && value.every((name) => typeof name === 'string'));
  const isConditions = (value: unknown): value is Record<string, string> | undefined =>
    value === undefined ||
    (typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string'));
  const isLinked = (value: unknown): value is SnapshotCursor['linked'] => value === 'begun' || isNames(value);
  if (
    (typeof table === 'string' || table === null) &&
    (key === null || isKey(key)) &&
    isKeys(beside) &&
    isLinked(linked) &&
    isNames(again) &&
    isConditions(where)
  ) {
    const rest = {
      ...(beside && { beside }),
      ...(linked && { linked }),
      ...(again && { again }),
      ...(where && { where }),
    };
    return { table, key, ...rest, ...(only === true && { only }) };
  }
  throw malformed(text);
}

/** -1, 0, 1; undefined when the files belong to different series (another server). */
export function compareOffsets(a: FileOffset, b: FileOffset): -1 | 0 | 1 | undefined {
  const [x, y] = [/^(.*)\.(\d+)$/.exec(a.file), /^(.*)\.(\d+)$/.exec(b.file)];
  if (!x || !y || x[1] !== y[1]) return a.file === b.file ? order(a.offset, b.offset) : undefined;
  return order(Number(x[2]), Number(y[2])) || order(a.offset, b.offset);
}

function order(a: number, b: number): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Behind a transaction that ends at this place; the set is the one that goes on changing. */
export function moved(position: StreamPosition, gtid: Gtid | MariadbGtid | undefined, at: FileOffset): StreamPosition {
  if (position.kind === 'file')
    return { kind: 'file', at: { file: at.file, offset: at.offset }, server: position.server };
  if (gtid === undefined)
    throw new AppError('source-misconfigured', 'the source writes transactions without GTID', {
      hint: 'SET GLOBAL gtid_mode = ON, and keep it on',
    });
  if (position.kind === 'mysql-gtid' && 'uuid' in gtid) position.gtids.add(gtid);
  else if (position.kind === 'mariadb-gtid' && 'domain' in gtid) position.gtids.add(gtid);
  return position;
}

/** True when everything of `b` is in `a`. Positions of different kinds never contain each other. */
export function contains(a: StreamPosition, b: StreamPosition): boolean {
  if (a.kind === 'mysql-gtid' && b.kind === 'mysql-gtid') return a.gtids.contains(b.gtids);
  if (a.kind === 'mariadb-gtid' && b.kind === 'mariadb-gtid') return a.gtids.contains(b.gtids);
  if (a.kind === 'file' && b.kind === 'file') {
    return (a.server ?? b.server) === (b.server ?? a.server) && (compareOffsets(a.at, b.at) ?? -1) >= 0;
  }
  return false;
}

/** A copy that does not go on changing. */
export function copyPosition(position: StreamPosition): StreamPosition {
  switch (position.kind) {
    case 'mysql-gtid':
      return { kind: 'mysql-gtid', gtids: GtidSet.parse(position.gtids.toString()) };
    case 'mariadb-gtid':
      return { kind: 'mariadb-gtid', gtids: MariadbPosition.parse(position.gtids.toString()) };
    case 'file':
      return position;
  }
}

function malformed(text: string, cause?: unknown): AppError {
  return new AppError('bad-connector-config', `"${text.slice(0, 200)}" is not a position of a MySQL source`, { cause });
}
