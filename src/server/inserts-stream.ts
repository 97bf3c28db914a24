// POST /inserts-stream (HTTP/2 only): the first line names the target, then one JSON object a line; each gets its
// acknowledgement once it is durable. Rows go through INSERT VALUES one after the other, so order and errors are those of
// statements. The body may be endless: it is read line by line, and a row waits until the one before it is acknowledged.
import { AppError, toAppError } from '../core/errors.js';
import { readRequestProperties } from '../core/request-properties.js';
import { negotiate } from './accept.js';
import { optionalObject, parseJsonObject, requiredString } from './body.js';
import type { Exchange } from './exchange.js';
import { ksqlError, ksqlErrorBody, respondKsqlError } from './http-error.js';
import { quoteName, sqlLiterals } from './json-literals.js';
import type { ServerContext } from './server-context.js';

const forms = new Map<string, 'delimited' | 'array'>([
  ['*/*', 'delimited'],
  ['application/*', 'delimited'],
  ['application/vnd.ksqlapi.delimited.v1', 'delimited'],
  ['application/json', 'array'],
]);

export async function insertsStream(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'inserts-stream';
  if (!exchange.http2) return respondKsqlError(exchange, ksqlErrorBody(40004, '/inserts-stream needs HTTP/2'));
  const form = negotiate(exchange.header('accept'), 'delimited' as const, forms);
  if (form === undefined)
    throw new AppError('not-acceptable', 'no answer of /inserts-stream has a media type in Accept');

  const lines = bodyLines(exchange, context.options.bodyBytesMax);
  const first = await lines.next();
  if (first.done === true) throw new AppError('bad-request', 'the first line must name the target: {"target":"NAME"}');
  const start = parseJsonObject(first.value);
  const target = quoteName(requiredString(start, 'target'));
  const properties = readRequestProperties(optionalObject(start, 'properties'));

  const type = form === 'array' ? 'application/json' : 'application/vnd.ksqlapi.delimited.v1';
  const stream = exchange.open(200, ['Content-Type', type]);
  let seq = 0;
  const answer = async (item: Record<string, unknown>) => {
    const text = JSON.stringify(item);
    if (form === 'delimited') await stream.writeAlone(`${text}\n`);
    else await stream.write(`${seq === 0 ? '[' : ','}${text}`);
  };
  for await (const line of lines) {
    try {
      await context.facades.statements.execute({ sql: insertStatement(target, line), properties, owner: 'api' });
    } catch (error) {
      const app = toAppError(error);
      context.logger.debug('a row of an insert stream was refused', { code: app.code, error: app.message });
      await answer({ ...ksqlError(app).body, status: 'error', seq });
      seq++;
      exchange.requestBody.resume();
      break;
    }
    await answer({ status: 'ok', seq });
    seq++;
    if (stream.ended) return;
  }
  stream.end(form === 'array' ? (seq === 0 ? '[]' : ']') : undefined);
}

export function insertStatement(target: string, rowJson: string): string {
  const members = sqlLiterals(rowJson);
  if (members.size === 0) throw new AppError('bad-request', 'a row without columns cannot be inserted');
  const names = [...members.keys()].map(quoteName).join(', ');
  return `INSERT INTO ${target} (${names}) VALUES (${[...members.values()].join(', ')});`;
}

/** Lines without the empty ones; the last counts without a newline too. One line is at most as long as a body may be. */
async function* bodyLines(exchange: Exchange, bytesMax: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  // Leaving early must not destroy the request: on HTTP/2 it is the same stream as the answer.
  for await (const part of exchange.requestBody.iterator({ destroyOnReturn: false })) {
    rest += decoder.decode(part as Buffer, { stream: true });
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end).trim();
      rest = rest.slice(end + 1);
      if (line !== '') yield line;
    }
    if (rest.length > bytesMax) throw new AppError('body-too-large', `a line is over the limit of ${bytesMax} bytes`);
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest.trim();
}
