// POST /query and /query-stream: one SELECT, pull or push, answered in the form that the client accepts. A pull's rows are
// gathered to a few KB per write; a push query's rows go out at once, on HTTP/2 each as a frame of its own, because clients
// take a frame for a JSON value. POST /close-query ends a push query.
import { AppError, errorFields, toAppError } from '../core/errors.js';
import { readRequestProperties, tombstonesProperty } from '../core/request-properties.js';
import type { SqlRows } from '../query/query-facade.js';
import { negotiate } from './accept.js';
import { optionalObject, readBodyObject, requiredString, textMap } from './body.js';
import { noteDamage } from './damage.js';
import type { Exchange } from './exchange.js';
import { ksqlError, ksqlErrorBody, respondError, respondKsqlError } from './http-error.js';
import { createPrinter, type QueryEndpoint, queryForms, type QueryPrinter } from './query-format.js';
import { pullOptions } from './query-string.js';
import { freshnessHeaders } from './read-routes.js';
import type { ServerContext } from './server-context.js';
import { scanStatements } from './statement-kind.js';
import type { StreamResponse } from './stream-response.js';
import { substituteVariables } from './variables.js';

const pullFlushCharacters = 5_000;
export async function runQuery(context: ServerContext, exchange: Exchange, endpoint: QueryEndpoint): Promise<void> {
  exchange.route = endpoint;
  const started = performance.now();
  const forms = queryForms[endpoint];
  const form = negotiate(exchange.header('accept'), forms.absent, forms.byType);
  if (form === undefined) throw new AppError('not-acceptable', `no answer of /${endpoint} has a media type in Accept`);

  const body = await readBodyObject(exchange, context.options.bodyBytesMax);
  const sqlMember = endpoint === 'query' ? 'ksql' : 'sql';
  const given = requiredString(body, body[sqlMember] === undefined && body['sql'] !== undefined ? 'sql' : sqlMember);
  const sql = substituteVariables(given, textMap(optionalObject(body, 'sessionVariables'), 'sessionVariables'));
  const properties = readRequestProperties(
    optionalObject(body, endpoint === 'query' ? 'streamsProperties' : 'properties'),
  );
  const push = checkStatement(sql);
  if (push && context.pushQueries.open >= context.options.pushQueriesMax) {
    const limit = ksqlErrorBody(40003, `the limit of ${context.options.pushQueriesMax} open push queries is reached`);
    return respondKsqlError(exchange, limit);
  }

  const stop = new AbortController();
  const options = {
    ...pullOptions(exchange, new URLSearchParams(exchange.query)),
    numbers: 'literals' as const,
    signal: stop.signal,
  };
  let rows: SqlRows;
  try {
    rows = await context.facades.query.select(sql, properties, options);
  } catch (error) {
    noteDamage(context, toAppError(error));
    return respondError(exchange, error, { text: given });
  }
  const printer = createPrinter(form, rows, { push, tombstones: isTrue(properties[tombstonesProperty]) });
  const stream = exchange.open(
    200,
    ['Content-Type', printer.contentType, 'X-Accel-Buffering', 'no', ...freshnessHeaders(rows)],
    false,
  );
  const cancel = () => {
    rows.cancel();
    stop.abort();
  };
  stream.signal.addEventListener('abort', cancel);
  if (stream.signal.aborted) cancel();
  context.streams.onShutdown(stream, () => {
    // The writing loop ends the stream in its own form: for a client an array without its bracket would be garbage.
    if (push) cancel();
  });
  if (push) context.pushQueries.open++;
  try {
    await sendRows(context, exchange, stream, rows, printer, push, given);
  } finally {
    if (push) context.pushQueries.open--;
    else {
      rows.cancel();
      context.counts.pull(endpoint, (performance.now() - started) / 1000);
    }
  }
}

async function sendRows(
  context: ServerContext,
  exchange: Exchange,
  stream: StreamResponse,
  rows: SqlRows,
  printer: QueryPrinter,
  push: boolean,
  sql: string,
): Promise<void> {
  const alone = exchange.http2 && push;
  if (alone) await stream.writeAlone(printer.header);
  let waiting = alone ? '' : printer.header;
  if (push && waiting !== '') {
    await stream.write(waiting);
    waiting = '';
  }
  if (push && printer.idle !== undefined) stream.heartbeat(printer.idle, context.options.heartbeatMs);
  try {
    for await (const batch of rows.rows) {
      for (const row of batch) {
        const text = printer.row(row);
        if (text === null) continue;
        if (alone) {
          await stream.writeAlone(text);
        } else {
          waiting += text;
          if (waiting.length >= pullFlushCharacters) {
            await stream.write(waiting);
            waiting = '';
          }
        }
        if (stream.ended) return;
      }
      if (push && waiting !== '') {
        await stream.write(waiting);
        waiting = '';
      }
      if (stream.ended) return;
    }
  } catch (error) {
    if (stream.ended) return;
    const app = toAppError(error);
    noteDamage(context, app);
    context.logger.warn('a query ended with an error behind its header', { ...errorFields(app), sql });
    stream.end(waiting + printer.fail(ksqlError(app).body));
    return;
  }
  stream.end(waiting + printer.end(finalMessage(rows)));
}

function finalMessage(rows: SqlRows): string | undefined {
  const reason = rows.endReason?.();
  if (reason === undefined) return undefined;
  return reason === 'limit' ? 'Limit Reached' : 'Query Completed';
}

/** Exactly one SELECT; true for a push query. PRINT reads topics, which the tap of /v1 does. */
function checkStatement(sql: string): boolean {
  const statements = scanStatements(sql);
  if (statements.length !== 1) {
    throw new AppError('bad-request', `exactly one statement is expected here, not ${statements.length}`);
  }
  const { firstWord, emits } = statements[0]!;
  if (firstWord === 'PRINT') {
    throw new AppError('unsupported-statement', 'PRINT is not supported', {
      hint: 'GET /v1/topics/{topic}/records shows the records of a topic',
    });
  }
  return emits;
}

export async function closeQuery(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'close-query';
  const body = await readBodyObject(exchange, context.options.bodyBytesMax);
  const id = requiredString(body, 'queryId');
  if (!context.facades.query.closeQuery(id)) throw new AppError('bad-request', `no query with id ${id}`);
  exchange.respond(200, [], '');
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
