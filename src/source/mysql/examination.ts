// All that is said of a source: what a start checks (checks.ts), and beside it what does not stop a start and is a risk.
import type { ReadSoFar, SourceFinding } from '../source-connector.js';
import { inspect } from './checks.js';
import { adviseOnTopics } from '../topic-advice.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { adviseOnPosition } from './position-advice.js';
import type { Server } from './server.js';
import { adviseOnSettings } from './settings-advice.js';
import { adviseOnTables } from './table-advice.js';

export async function examine(
  session: Session,
  server: Server,
  config: MysqlConfig,
  filter: TableFilter,
  read: ReadSoFar | undefined,
): Promise<readonly SourceFinding[]> {
  const { findings, tables } = await inspect(session, server, config, filter);
  // A server that writes no binlog, or does not let it be read, has nothing to say of positions in it.
  const hasBinlog = !findings.some(({ object, code }) => object === 'log_bin' || code === 'source-missing-grant');
  return [
    ...findings,
    ...(hasBinlog ? await adviseOnPosition(session, server, config, read) : []),
    ...(await adviseOnSettings(session, server)),
    ...(await adviseOnTables(session, tables, filter, config)),
    ...adviseOnTopics({ topicPrefix: config.topicPrefix, topicForm: 'dotted' }, tables),
  ];
}
