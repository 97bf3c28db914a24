// What a process that follows does not take: everything that changes something. Told before anything of the request is read, with the
// address of the process that does take it.
import { AppError } from '../core/errors.js';
import type { Exchange } from './exchange.js';
import { familyOf } from './http-error.js';
import { scanStatements } from './statement-kind.js';
import type { Leadership, StatusFacade } from './status-facade.js';

/** Throws not-leader where the request's path and method change something and this process follows. */
export function refuseChangeOfFollower(status: StatusFacade, exchange: Exchange): void {
  const { method, path } = exchange;
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || !changes(path, method)) return;
  const leadership = status.leadership();
  if (leadership.role === 'follower') throw notLeader(leadership);
}

/** The same for statements, some of which only show what is there. */
export function refuseStatementsOfFollower(status: StatusFacade, sql: string): void {
  const leadership = status.leadership();
  if (leadership.role === 'leader') return;
  if (scanStatements(sql).some(({ firstWord }) => !readingWords.has(firstWord))) throw notLeader(leadership);
}

const readingWords = new Set(['SHOW', 'LIST', 'DESCRIBE', 'EXPLAIN', 'SET', 'UNSET', 'DEFINE', 'UNDEFINE']);

/** POST /ksql is decided by its statements. */
function changes(path: string, method: string): boolean {
  switch (familyOf(path)) {
    case 'connect':
      return path.startsWith('/connectors');
    case 'kafka':
      return true;
    case 'registry':
      // Looking a schema up and testing one are POSTs that change nothing.
      return method !== 'POST' || !/^\/(?:compatibility\/|subjects\/[^/]+$)/.test(path);
    default:
      return path === '/inserts-stream' || (path.startsWith('/v1/tables/') && path.endsWith('/rebuild'));
  }
}

function notLeader({ leader }: Leadership): AppError {
  const where = leader === null ? 'there is no leader at the moment' : `${leader} leads`;
  return new AppError('not-leader', `this process follows the log and changes nothing: ${where}`, {
    hint: leader === null ? 'a new one is found within seconds' : `send the request to ${leader}`,
    retriable: leader === null,
    leader: leader ?? undefined,
  });
}
