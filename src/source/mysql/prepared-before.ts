// XA transactions that were prepared before the stream of a first snapshot begins. Their rows came before it, so when one of them is committed
// its tables are read again, and nothing names these: neither XA RECOVER nor the event of the commit. But InnoDB shows which tables are
// locked for writing, by whatever transaction. One whose commit is written behind the end that the binlog had when that was asked was
// prepared then, so its tables are among those. MariaDB shows none.
import { isAbort } from '../../core/backoff.js';
import { qualifiedName } from '../../core/table-name.js';
import type { MysqlConfig } from './config.js';
import { Session, type ResolvedOptions } from './connection.js';
import type { FileOffset } from './position.js';
import { binlogEnd, type Server } from './server.js';

export interface PreparedBefore {
  /** `database.table`: of a transaction that is committed behind `end`, no other table has rows in it. */
  readonly tables: readonly string[];
  readonly end: FileOffset;
}

/** So many names are worth their place in every position. */
const tablesMax = 32;
/** Engines with transactions of their own would lock, and show nothing here. */
const othersSql =
  "SELECT COUNT(*) AS others FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES' AND ENGINE <> 'InnoDB'";
const lockedSql = `SELECT DISTINCT OBJECT_SCHEMA AS db, OBJECT_NAME AS tbl FROM performance_schema.data_locks
  WHERE LOCK_TYPE = 'TABLE' AND (LOCK_MODE LIKE 'IX%' OR LOCK_MODE LIKE 'X%') LIMIT ${tablesMax + 1}`;

/** Locks are of all transactions. Where nobody prepares any, as on most servers, none of their names is kept. */
async function mayBePrepared(session: Session): Promise<boolean> {
  const { Value: count } = await session.one("SHOW GLOBAL STATUS LIKE 'Com_xa_prepare'");
  if (count === '0') return false;
  try {
    return (await session.query('XA RECOVER')).length > 0;
  } catch (error) {
    if (isAbort(error)) throw error;
    // It takes a right (XA_RECOVER_ADMIN) that nothing else needs.
    return true;
  }
}

/** Asked behind the place at which the stream begins. Undefined: the server does not tell. */
export async function preparedBefore(
  config: MysqlConfig,
  connection: ResolvedOptions,
  server: Server,
  signal: AbortSignal,
): Promise<PreparedBefore | undefined> {
  if (server.mariadb) return undefined;
  // The server may have many locks to go through, and a question that is too late costs its connection.
  const session = await Session.openWith(config, connection, signal);
  try {
    const { shown } = await session.one('SELECT @@GLOBAL.performance_schema AS shown');
    const { others } = await session.one(othersSql);
    if (shown !== '1' || others !== '0' || !(await mayBePrepared(session))) return undefined;
    const tables = await session.query(lockedSql, 'asking which tables are locked');
    const end = await binlogEnd(session, server);
    if (tables.length > tablesMax || end === undefined) return undefined;
    return { tables: tables.map(({ db, tbl }) => qualifiedName({ database: db!, table: tbl! })), end };
  } catch (error) {
    // Without the right to look, or in time, it is as if nothing were told.
    if (isAbort(error)) throw error;
    return undefined;
  } finally {
    session.close();
  }
}
