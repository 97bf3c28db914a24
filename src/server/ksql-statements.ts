// POST /ksql: runs statements and answers with their entities. Also GET /status, what became of the last commands, and
// GET /is_valid_property, whether a request may carry a property.
import { AppError, fromErrorMessage } from '../core/errors.js';
import { readRequestProperties, requestPropertyName } from '../core/request-properties.js';
import type { StatementRun } from '../projector/statement-facade.js';
import { negotiate } from './accept.js';
import { optionalObject, readBodyObject, requiredString, textMap } from './body.js';
import type { Exchange } from './exchange.js';
import { ksqlErrorBody, respondError, respondKsqlError } from './http-error.js';
import { toEntity } from './ksql-entities.js';
import { refuseStatementsOfFollower } from './leader-only.js';
import type { ServerContext } from './server-context.js';
import { scanStatements } from './statement-kind.js';

const ksqlTypes = new Map([
  ['application/json', 'application/json'],
  ['application/vnd.ksql.v1+json', 'application/vnd.ksql.v1+json'],
  ['application/*', 'application/json'],
  ['*/*', 'application/json'],
]);

/** The media type of a JSON answer; throws not-acceptable. */
export function ksqlContentType(exchange: Exchange): string {
  const type = negotiate(exchange.header('accept'), 'application/json', ksqlTypes);
  if (type === undefined)
    throw new AppError('not-acceptable', 'this path answers in application/json or application/vnd.ksql.v1+json');
  return type;
}

export async function runStatements(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'ksql';
  const contentType = ksqlContentType(exchange);
  const body = await readBodyObject(exchange, context.options.bodyBytesMax);
  const sql = requiredString(body, 'ksql');
  for (const { firstWord, text } of scanStatements(sql)) {
    if (firstWord === 'SELECT' || firstWord === 'PRINT') {
      const endpoint =
        firstWord === 'SELECT'
          ? 'SELECT statements go to the /query or /query-stream endpoint'
          : 'PRINT goes to the /query endpoint';
      return respondKsqlError(exchange, ksqlErrorBody(40002, endpoint, { text }));
    }
  }
  let ran: StatementRun;
  try {
    refuseStatementsOfFollower(context.facades.status, sql);
    ran = await context.facades.statements.run({
      sql,
      properties: readRequestProperties(optionalObject(body, 'streamsProperties')),
      sessionVariables: textMap(optionalObject(body, 'sessionVariables'), 'sessionVariables'),
      owner: 'api',
    });
  } catch (error) {
    return respondError(exchange, error, { text: sql });
  }
  const entities = ran.results.map(toEntity);
  context.commands.remember(entities);
  if (ran.failed)
    return respondError(exchange, fromErrorMessage(ran.failed.error), { text: ran.failed.text, entities });
  exchange.respond(200, ['Content-Type', contentType], JSON.stringify(entities));
}

/** GET /status and /status/{type}/{entity}/{action} */
export function commandStatus(context: ServerContext, exchange: Exchange, id: string): void {
  exchange.route = 'command-status';
  const headers = ['Content-Type', ksqlContentType(exchange)];
  if (id === '') return exchange.respond(200, headers, JSON.stringify({ commandStatuses: context.commands.all() }));
  const status = context.commands.get(id);
  if (status === undefined) return respondKsqlError(exchange, ksqlErrorBody(40400, 'Command not found'));
  exchange.respond(200, headers, JSON.stringify(status));
}

/** GET /is_valid_property/{name} */
export function isValidProperty(exchange: Exchange, name: string): void {
  exchange.route = 'is-valid-property';
  requestPropertyName(name);
  exchange.respond(200, ['Content-Type', ksqlContentType(exchange)], 'true');
}
