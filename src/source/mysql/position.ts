// Where the source is, as text that is stored with each append. A position is a set, not a point: what is applied is what the
// set contains, so it survives a failover to a replica. Servers without GTIDs have a file and an offset. While the first
// snapshot runs, its cursor is part of the position, so that a restart goes on at the chunk.
import { AppError } from '../../core/errors.js';
import { GtidSet } from './gtid-set.js';
import { MariadbPosition } from './mariadb-gtid.js';

export interface FileOffset {
  readonly file: string;
  readonly offset: number;
}

export type StreamPosition =
  | { readonly kind: 'mysql-gtid'; readonly gtids: GtidSet }
  | { readonly kind: 'mariadb-gtid'; readonly gtids: MariadbPosition }
  | { readonly kind: 'file'; readonly at: FileOffset };

/** The last key of `table` (database.table) that was handed over, as SQL literals; null key: none yet, null table: nothing yet. */
export interface SnapshotCursor {
  readonly table: string | null;
  readonly key: readonly string[] | null;
}

export interface Position {
  readonly stream: StreamPosition;
  readonly snapshot: SnapshotCursor | undefined;
}

export function printPosition({ stream, snapshot }: Position): string {
  return printWithSnapshot(stream, snapshot ? printCursor(snapshot) : '');
}

/** The hot half: `cursor` is printCursor's text, which changes far less often than the stream's part. */
export function printWithSnapshot(stream: StreamPosition, cursor: string): string {
  const part =
    stream.kind === 'file'
      ? `"file":${JSON.stringify(stream.at.file)},"pos":${stream.at.offset}`
      : `"gtids":"${stream.gtids.toString()}"`;
  return `{"kind":"${stream.kind}",${part}${cursor}}`;
}

export function printCursor(cursor: SnapshotCursor): string {
  return `,"snapshot":${JSON.stringify({ table: cursor.table, key: cursor.key })}`;
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
  const { kind, gtids, file, pos } = fields;
  if (kind === 'mysql-gtid' && typeof gtids === 'string')
    return { stream: { kind, gtids: GtidSet.parse(gtids) }, snapshot };
  if (kind === 'mariadb-gtid' && typeof gtids === 'string') {
    return { stream: { kind, gtids: MariadbPosition.parse(gtids) }, snapshot };
  }
  if (kind === 'file' && typeof file === 'string' && typeof pos === 'number' && Number.isSafeInteger(pos) && pos >= 4) {
    return { stream: { kind, at: { file, offset: pos } }, snapshot };
  }
  throw malformed(text);
}

/** Key values go into statements, so only what our own literals look like is let in. */
const literal = /^(?:-?\d[\d.]*(?:e-?\d+)?|(?:_[a-z0-9]+ )?X'[0-9A-F]*'|'[0-9 :.-]*')$/;

function parseCursor(json: unknown, text: string): SnapshotCursor {
  const { table, key } = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const isKey = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((part) => typeof part === 'string' && literal.test(part));
  if ((typeof table === 'string' || table === null) && (key === null || isKey(key))) return { table, key };
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

/** True when everything of `b` is in `a`. Positions of different kinds never contain each other. */
export function contains(a: StreamPosition, b: StreamPosition): boolean {
  if (a.kind === 'mysql-gtid' && b.kind === 'mysql-gtid') return a.gtids.contains(b.gtids);
  if (a.kind === 'mariadb-gtid' && b.kind === 'mariadb-gtid') return a.gtids.contains(b.gtids);
  if (a.kind === 'file' && b.kind === 'file') return (compareOffsets(a.at, b.at) ?? -1) >= 0;
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
