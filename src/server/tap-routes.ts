// GET /v1/topics and /v1/topics/{topic}/records: what lies in the log, for people and for tests that look in from outside.
import { AppError } from '../core/errors.js';
import { type Exchange, jsonType } from './exchange.js';
import { decodeSegment, wholeNumber } from './query-string.js';
import type { ServerContext } from './server-context.js';
import type { TapBytes, TapPage, TapRecord, TapRequest } from './tap-facade.js';

const recordsLimitMax = 10_000;
const recordsLimitDefault = 100;

export async function listTopics(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'topics';
  const topics = await context.facades.tap.topics();
  exchange.respond(200, ['Content-Type', jsonType, 'Cache-Control', 'no-store'], JSON.stringify({ topics }));
}

/** `?partition&offset&limit`; a negative offset counts from the end. NDJSON when asked for. */
export async function tapTopic(context: ServerContext, exchange: Exchange, rest: string): Promise<void> {
  exchange.route = 'tap';
  const slash = rest.indexOf('/');
  if (slash < 0 || rest.slice(slash) !== '/records')
    throw new AppError('unknown-route', `there is no path ${exchange.path}`);
  const params = new URLSearchParams(exchange.query);
  const ndjson = asksForLines(exchange, params.get('format'));
  const request: TapRequest = {
    topic: decodeSegment(rest.slice(0, slash)),
    partition: wholeNumber(params, 'partition', 1_000_000) ?? 0,
    offset: parseOffset(params.get('offset')),
    limit: wholeNumber(params, 'limit', recordsLimitMax) ?? recordsLimitDefault,
  };
  // Until it is printed a page is held several times over.
  await context.taps.pass(async () => answerTap(exchange, await context.facades.tap.records(request), ndjson));
}

function answerTap(exchange: Exchange, page: TapPage, ndjson: boolean): void {
  if (ndjson) {
    const lines = page.records.map((record) => JSON.stringify(recordJson(record)) + '\n').join('');
    const headers = ['Content-Type', 'application/x-ndjson', 'Writethrough-Next-Offset', page.nextOffset];
    exchange.respond(200, headers, lines);
    return;
  }
  const body = { records: page.records.map(recordJson), nextOffset: page.nextOffset, endOffset: page.endOffset };
  exchange.respond(200, ['Content-Type', jsonType, 'Cache-Control', 'no-store'], JSON.stringify(body));
}

function asksForLines(exchange: Exchange, format: string | null): boolean {
  if (format === null) return exchange.header('accept') === 'application/x-ndjson';
  if (format !== 'json' && format !== 'ndjson')
    throw new AppError('bad-request', '"format" must be "json" or "ndjson"');
  return format === 'ndjson';
}

function parseOffset(text: string | null): bigint | undefined {
  if (text === null || text === 'earliest') return undefined;
  if (!/^-?\d{1,19}$/.test(text)) {
    throw new AppError('bad-request', '"offset" must be a whole number, negative to count from the end, or "earliest"');
  }
  return BigInt(text);
}

/** Text stays text, so that what lies in the topic can be read; other bytes are base64 and say so. */
function recordJson(record: TapRecord): Record<string, unknown> {
  return {
    offset: record.offset,
    timestamp: record.timestamp,
    key: record.key === null ? null : record.key.text,
    ...encodingOf('keyEncoding', record.key),
    value: record.value === null ? null : record.value.text,
    ...encodingOf('valueEncoding', record.value),
    headers: record.headers,
  };
}

function encodingOf(name: string, bytes: TapBytes | null): Record<string, string> {
  return bytes?.encoding === 'base64' ? { [name]: 'base64' } : {};
}
