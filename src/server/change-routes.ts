// GET /v1/tables/{table}/changes: the changes of a table as server-sent events or NDJSON. It promises order, no gap and no
// repeat behind the event id that the client hands in, and bounded memory: the next page is asked for only when the socket
// took the last one, and a client that takes nothing for a moment holds no page at all: its subscription is given up, and another one goes
// on behind the last event that was written.
import { AppError, errorFields, toAppError } from '../core/errors.js';
import type { ChangeItem, SubscribeOptions } from '../query/query-facade.js';
import { acceptedTypes } from './accept.js';
import { noteDamage } from './damage.js';
import type { Exchange, HeaderList } from './exchange.js';
import { problemOf, respondError } from './http-error.js';
import { numberStyle } from './query-string.js';
import type { ServerContext } from './server-context.js';
import type { StreamResponse } from './stream-response.js';

type ChangeFormat = 'sse' | 'ndjson';

/** A subscription that says nothing for so long is taken to stand: the header must not wait for the first change. */
const headerWaitMs = 250;
const pieceCharacters = 32 * 1024;
/** A client that takes nothing for so long has its page taken back. */
const pageWaitMs = 200;

export async function streamChanges(context: ServerContext, exchange: Exchange, table: string): Promise<void> {
  exchange.route = 'changes';
  const params = new URLSearchParams(exchange.query);
  const format = chooseFormat(exchange, params);
  // The header goes first: it is what an EventSource sends when it comes back to the same URL.
  const after = exchange.header('last-event-id') || params.get('after') || undefined;
  if (exchange.method === 'HEAD') return exchange.respond(200, streamHeaders(format), '');
  const stop = new AbortController();
  const request: SubscribeOptions = {
    table,
    snapshot: after === undefined && flag(params, 'snapshot'),
    after,
    numbers: numberStyle(params.get('numbers')),
    signal: stop.signal,
  };
  const { subscribers, options } = context;
  if (subscribers.open >= options.subscribersMax) {
    throw new AppError('overloaded', `${subscribers.open} subscriptions are open already`, {
      hint: 'the limit is the option http.subscribers-max',
      retriable: true,
    });
  }
  subscribers.open++;
  try {
    await subscribe(context, exchange, request, format, stop);
  } finally {
    subscribers.open--;
  }
}

async function subscribe(
  context: ServerContext,
  exchange: Exchange,
  request: SubscribeOptions,
  format: ChangeFormat,
  stop: AbortController,
): Promise<void> {
  const { query } = context.facades;
  const changes = query.subscribe(request)[Symbol.asyncIterator]();
  // Asked before the header is out, so that a position that is gone is a 410 and not a stream with an error in it.
  const first = changes.next();
  const started = await settledWithin(first, headerWaitMs);
  if (started.kind === 'rejected') {
    noteDamage(context, toAppError(started.error));
    return respondError(exchange, started.error);
  }

  const stream = exchange.open(200, streamHeaders(format));
  stream.signal.addEventListener('abort', () => stop.abort());
  if (stream.signal.aborted) stop.abort();
  let shutDown = false;
  context.streams.onShutdown(stream, () => {
    shutDown = true;
    stream.end(format === 'sse' ? `retry: ${context.options.retryMs}\n\n` : undefined);
    stop.abort();
  });
  if (format === 'sse') await stream.write(`retry: ${context.options.retryMs}\n\n`);
  stream.heartbeat(format === 'sse' ? ':\n\n' : '\n', context.options.heartbeatMs);
  try {
    const goOn = (after: string) => query.subscribe({ ...request, snapshot: false, after })[Symbol.asyncIterator]();
    await forward(stream, { changes, first, goOn }, format === 'sse' ? sseText : ndjsonText);
    stream.end();
  } catch (error) {
    if (stream.ended || shutDown) return;
    const app = toAppError(error);
    const { table } = request;
    noteDamage(context, app);
    context.logger.warn('a change stream ended with an error', { table, ...errorFields(app) });
    const problem = JSON.stringify(problemOf(app));
    stream.end(format === 'sse' ? `event: error\ndata: ${problem}\n\n` : `{"error":${problem}}\n`);
  }
}

type Changes = AsyncIterator<readonly ChangeItem[]>;
type Step = IteratorResult<readonly ChangeItem[], unknown>;
const nothingYet: Step = { done: false, value: [] };

interface Subscribed {
  readonly changes: Changes;
  readonly first: Promise<IteratorResult<readonly ChangeItem[]>>;
  /** Another subscription, behind an event. */
  readonly goOn: (after: string) => Changes;
}

async function forward(
  stream: StreamResponse,
  { changes: begun, first, goOn }: Subscribed,
  print: (items: readonly ChangeItem[]) => string,
): Promise<void> {
  let changes = begun;
  let step: Step = await first;
  while (step.done !== true && !stream.ended) {
    // Given away, and not kept here: a stream that waits for the next change must not hold the last page.
    const writing = writePage(stream, step.value, print);
    step = nothingYet;
    const stoppedAt = await writing;
    if (stream.ended) break;
    if (stoppedAt === undefined) {
      step = await changes.next();
      continue;
    }
    await changes.return?.();
    await stoppedAt.written;
    if (stream.ended) return;
    changes = goOn(stoppedAt.id);
  }
  if (step.done !== true) await changes.return?.();
}

/** Undefined once the client has taken all of it; else the event behind which it took nothing for a while. */
async function writePage(
  stream: StreamResponse,
  page: readonly ChangeItem[],
  print: (items: readonly ChangeItem[]) => string,
): Promise<{ readonly id: string; readonly written: Promise<void> } | undefined> {
  for (const piece of pieces(page)) {
    const { id } = piece.at(-1)!;
    const written = stream.write(print(piece));
    if (stream.waits && !(await within(written, pageWaitMs))) return { id, written };
    await written;
    if (stream.ended) return undefined;
  }
  return undefined;
}

/** False: it has not come to be in that time. */
async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

/** What is printed waits for the socket, once for each client: so little of it at a time. */
function* pieces(items: readonly ChangeItem[]): Iterable<readonly ChangeItem[]> {
  let start = 0;
  let length = 0;
  for (let i = 0; i < items.length; i++) {
    length += items[i]!.json.length;
    if (length < pieceCharacters && i < items.length - 1) continue;
    yield start === 0 && i === items.length - 1 ? items : items.slice(start, i + 1);
    start = i + 1;
    length = 0;
  }
}

/** Every item has an id from which a subscription can go on, the rows of a snapshot too. */
export function sseText(items: readonly ChangeItem[]): string {
  let text = '';
  for (const item of items) text += `id: ${item.id}\nevent: ${item.op}\ndata: ${item.json}\n\n`;
  return text;
}

export function ndjsonText(items: readonly ChangeItem[]): string {
  let text = '';
  for (const item of items) text += item.json + '\n';
  return text;
}

function streamHeaders(format: ChangeFormat): HeaderList {
  return [
    'Content-Type',
    format === 'sse' ? 'text/event-stream; charset=utf-8' : 'application/x-ndjson',
    'Cache-Control',
    'no-cache, no-transform',
    'X-Accel-Buffering',
    'no',
  ];
}

function chooseFormat(exchange: Exchange, params: URLSearchParams): ChangeFormat {
  const wanted = params.get('format');
  if (wanted === 'sse' || wanted === 'ndjson') return wanted;
  if (wanted !== null) throw new AppError('bad-request', '"format" must be "sse" or "ndjson"');
  const accept = exchange.header('accept');
  if (accept === undefined) return 'sse';
  for (const type of acceptedTypes(accept)) {
    if (type === 'application/x-ndjson') return 'ndjson';
    if (type === 'text/event-stream' || type === 'text/*' || type === '*/*') return 'sse';
  }
  throw new AppError('not-acceptable', 'changes come as text/event-stream or application/x-ndjson');
}

function flag(params: URLSearchParams, name: string): boolean {
  const value = params.get(name);
  if (value === null || value === 'false') return false;
  if (value === 'true' || value === '') return true;
  throw new AppError('bad-request', `"${name}" must be true or false`);
}

type Settled = { readonly kind: 'open' } | { readonly kind: 'rejected'; readonly error: unknown };

async function settledWithin(promise: Promise<unknown>, ms: number): Promise<Settled> {
  let timer: NodeJS.Timeout | undefined;
  const open: Settled = { kind: 'open' };
  const waited = new Promise<Settled>((resolve) => {
    timer = setTimeout(resolve, ms, open);
  });
  const settled = promise.then(
    () => open,
    (error: unknown): Settled => ({ kind: 'rejected', error }),
  );
  const result = await Promise.race([waited, settled]);
  clearTimeout(timer);
  return result;
}
