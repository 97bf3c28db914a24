// A position that somebody sets, in the form in which ours are shown or in that of Debezium's offsets, for a connector that is taken over.
// The stream goes on behind it, and may leave changes out or tell them twice. So that no row is wrong for that, the position is marked: at
// the next start every table is called for and read again in place, with the deletes of rows that are gone, as after a lost position
// (capture-run.ts, table-opening.ts). What is refused: a form that is no position of this server, and a place that it no longer has, does
// not have yet, or that lies within a transaction.
import { isDeepStrictEqual } from 'node:util';
import { AppError, toAppError } from '../../core/errors.js';
import type { WantedPosition } from '../source-connector.js';
import { quoteText, type Session } from './connection.js';
import { GtidSet } from './gtid-set.js';
import { MariadbPosition } from './mariadb-gtid.js';
import { parsePosition, printPosition, type FileOffset, type StreamPosition } from './position.js';
import { withNames, withoutReturn } from './prepared.js';
import { executedGtids, serverUuid, type Server } from './server.js';
import { positionLost } from './source-error.js';
import { checkPosition } from './start-position.js';

type Fields = Readonly<Record<string, unknown>>;

/** Those of ours, and those of Debezium: what is not read here concerns a transaction or a snapshot that is told again as a whole. */
const ours = ['kind', 'gtids', 'file', 'pos', 'server', 'snapshot', 'stopped', 'altered', 'prepared', 'moved'];
const debeziums = ['ts_sec', 'row', 'event', 'server_id', 'transaction_id', 'snapshot_completed'];
const isKnown = (name: string): boolean =>
  ours.includes(name) || debeziums.includes(name) || name.startsWith('incremental_snapshot_');

const firstPlace = 4;

/** In front of which a transaction begins, or nothing that counts stands. */
const borders =
  /^(?:Gtid|Gtid_tagged|Anonymous_Gtid|Format_desc|Previous_gtids|Gtid_list|Rotate|Stop|Binlog_checkpoint|Start_encryption|Heartbeat)$/i;

export async function wantedPosition(
  session: Session,
  server: Server,
  { offset, current }: WantedPosition & { readonly offset: Fields },
): Promise<string> {
  const known = current === null ? undefined : parsePosition(current);
  // What GET shows, sent back: nothing moves.
  if (current !== null && isDeepStrictEqual(offset, JSON.parse(current))) return current;
  const unknown = Object.keys(offset).find((name) => !isKnown(name));
  if (unknown !== undefined) throw wrong(`"${unknown}" is no part of a position`, server);
  let stream: StreamPosition;
  try {
    stream = await streamOf(session, server, offset);
    await checkPosition(session, server, stream);
  } catch (error) {
    const { code, message, detail, retriable } = toAppError(error);
    if (code !== 'source-position-lost' && code !== 'source-rewound') throw error;
    throw new AppError(code, code === 'source-rewound' ? notWritten().message : message, {
      detail,
      retriable,
      hint: await rangeText(session, server),
      cause: error,
    });
  }
  return printPosition({
    stream,
    snapshot: undefined,
    prepared: withoutReturn(withNames(known?.prepared ?? [])),
    moved: true,
  });
}

async function streamOf(session: Session, server: Server, fields: Fields): Promise<StreamPosition> {
  const gtids = textOf(fields['gtids'], 'gtids', server);
  const at = placeOf(fields, server);
  switch (server.position) {
    case 'mysql-gtid':
      if (gtids === undefined) throw wrong('it names no GTIDs', server);
      return {
        kind: 'mysql-gtid',
        gtids: await executed(
          session,
          parsed(() => GtidSet.parse(gtids), server),
        ),
      };
    case 'mariadb-gtid': {
      const text = gtids ?? (at && (await gtidsAt(session, server, at)));
      if (text === undefined) throw wrong('it names no GTIDs', server);
      const position = parsed(() => MariadbPosition.parse(text), server);
      await assertKept(session, position);
      return { kind: 'mariadb-gtid', gtids: position };
    }
    case 'file':
      if (at === undefined) throw wrong('it names no file and place', server);
      await assertBorder(session, server, at);
      return { kind: 'file', at, server: textOf(fields['server'], 'server', server) ?? (await serverUuid(session)) };
  }
}

/** Nothing is on its way to us yet, so what is not executed now never was. */
async function executed(session: Session, gtids: GtidSet): Promise<GtidSet> {
  if ((await executedGtids(session)).contains(gtids)) return gtids;
  throw notWritten();
}

function parsed<T>(parse: () => T, server: Server): T {
  try {
    return parse();
  } catch (error) {
    throw wrong(toAppError(error).message, server);
  }
}

function textOf(value: unknown, name: string, server: Server): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw wrong(`"${name}" has to be text`, server);
}

function placeOf({ file, pos }: Fields, server: Server): FileOffset | undefined {
  const name = textOf(file, 'file', server);
  if (name === undefined && pos === undefined) return undefined;
  const offset = typeof pos === 'string' && /^\d+$/.test(pos) ? Number(pos) : pos;
  if (name === undefined || typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < firstPlace)
    throw wrong('"file" and "pos" name a place in the binlog together, from 4 on', server);
  return { file: name, offset };
}

/** A place in a file as the GTIDs before it. */
async function gtidsAt(session: Session, server: Server, at: FileOffset): Promise<string> {
  await assertBorder(session, server, at);
  const { gtids } = await session.one(`SELECT BINLOG_GTID_POS(${quoteText(at.file)}, ${at.offset}) AS gtids`);
  return gtids ?? '';
}

/** MariaDB tells that transactions are purged only when the dump is asked for: the oldest file tells what lies before it. */
async function assertKept(session: Session, position: MariadbPosition): Promise<void> {
  const [oldest] = await session.queryLong('SHOW BINARY LOGS', 'listing its binlog files');
  const file = oldest?.['Log_name'];
  if (file === undefined || file === null) return;
  const { purged } = await session.one(`SELECT BINLOG_GTID_POS(${quoteText(file)}, 4) AS purged`);
  if (position.contains(MariadbPosition.parse(purged ?? ''))) return;
  throw positionLost(`transactions up to ${purged} are purged, and it is ${position.toString()}`);
}

async function assertBorder(session: Session, server: Server, { file, offset }: FileOffset): Promise<void> {
  const logs = await session.queryLong('SHOW BINARY LOGS', 'listing its binlog files');
  const log = logs.find((row) => row['Log_name'] === file);
  if (log === undefined) throw positionLost(`binlog file ${file} is gone`);
  const size = Number(log['File_size']);
  if (offset > size) throw notWritten();
  if (offset === size || offset === firstPlace) return;
  const found = await eventAt(session, { file, offset });
  if (found === undefined) throw wrong(`no event begins at ${file}:${offset}`, server);
  if (!borders.test(found)) throw wrong(`${file}:${offset} lies within a transaction (${found})`, server);
}

/** The type of the event that begins there; undefined: none does. */
async function eventAt(session: Session, { file, offset }: FileOffset): Promise<string | undefined> {
  try {
    const [row] = await session.queryLong(
      `SHOW BINLOG EVENTS IN ${quoteText(file)} FROM ${offset} LIMIT 1`,
      'looking at an event of its binlog',
    );
    return row?.['Pos'] === String(offset) ? (row['Event_type'] ?? undefined) : undefined;
  } catch (error) {
    const { cause, code } = toAppError(error);
    // 1220, ER_ERROR_WHEN_EXECUTING_COMMAND: there is no event at that place.
    if (code === 'source-failed' && (cause as { readonly errno?: unknown } | undefined)?.errno === 1220)
      return undefined;
    throw error;
  }
}

function notWritten(): AppError {
  return new AppError('source-rewound', 'the source has not written what lies before that position');
}

/** What can be set. */
async function rangeText(session: Session, server: Server): Promise<string> {
  switch (server.position) {
    case 'mysql-gtid': {
      const { purged, executed } = await session.one(
        'SELECT @@GLOBAL.gtid_purged AS purged, @@GLOBAL.gtid_executed AS executed',
      );
      const text = (set: string | null | undefined) => (set ?? '').replaceAll(/\s/g, '');
      return `a set that holds @@gtid_purged (${text(purged)}) and nothing beyond @@gtid_executed (${text(executed)})`;
    }
    case 'mariadb-gtid': {
      const { written } = await session.one('SELECT @@GLOBAL.gtid_binlog_pos AS written');
      return `a position that the binlog still has, up to @@gtid_binlog_pos (${written ?? ''})`;
    }
    case 'file':
      return 'a place between two transactions of a file that SHOW BINARY LOGS lists';
  }
}

const examples = {
  'mysql-gtid': '{"gtids": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23"}, as @@gtid_executed shows it',
  'mariadb-gtid': '{"gtids": "0-1-1234"}, as @@gtid_binlog_pos shows it, or {"file": "mysql-bin.000003", "pos": 154}',
  file: '{"file": "mysql-bin.000003", "pos": 154}',
} as const satisfies Record<StreamPosition['kind'], string>;

function wrong(why: string, server: Server): AppError {
  return new AppError('bad-request', `the offset is no position of this source: ${why}`, {
    hint: `here it looks like ${examples[server.position]}; null has everything read again`,
  });
}
