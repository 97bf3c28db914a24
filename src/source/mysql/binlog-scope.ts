// Whether the binlog of a server can hold the changes of the captured tables at all. One that leaves a database out, or what it gets of
// another server, looks like one in which nothing happens: rows would be served as current and never change.
import { AppError } from '../../core/errors.js';
import type { SourceFinding } from '../source-connector.js';
import type { Session } from './connection.js';
import { misconfigured } from './misconfigured.js';
import { binlogStatus, isAtLeast, type Server } from './server.js';

export async function checkBinlogScope(
  session: Session,
  server: Server,
  databases: ReadonlySet<string>,
  logsReplicated: boolean,
): Promise<SourceFinding[]> {
  const status = await binlogStatus(session, server);
  const listed = (name: string): readonly string[] =>
    (status[name] ?? '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  const [only, ignored] = [listed('Binlog_Do_DB'), listed('Binlog_Ignore_DB')];
  const findings = [...databases]
    .filter((database) => (only.length > 0 ? !only.includes(database) : ignored.includes(database)))
    .map((database) =>
      misconfigured(
        database,
        `the binlog of the server leaves database ${database} out (${only.length > 0 ? 'binlog_do_db' : 'binlog_ignore_db'})`,
        'take the option out of the option file of the server, and restart it',
      ),
    );
  if (!logsReplicated && (await replicates(session, server))) {
    const option = server.mariadb ? 'log_slave_updates' : 'log_replica_updates';
    findings.push(
      misconfigured(
        option,
        `the server is a replica, and what it gets from its source does not reach its own binlog (${option} is OFF)`,
        `set ${option} = ON in the option file of the server and restart it, or capture the server that it replicates`,
      ),
    );
  }
  return findings;
}

/** A replica that rests is one too, where the user may see it. */
async function replicates(session: Session, server: Server): Promise<boolean> {
  const ofMysql = isAtLeast(server, 8, 4) ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS';
  try {
    const rows = await session.query(server.mariadb ? 'SHOW ALL SLAVES STATUS' : ofMysql);
    return rows.length > 0;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'source-missing-grant') throw error;
  }
  const { Value: running } = await session.one("SHOW GLOBAL STATUS LIKE 'Slaves_running'");
  return Number(running ?? 0) > 0;
}
