// HTTP/1.1 in terms of an Exchange. One small object per request, the header in one writeHead call with a flat list, header
// and body in one write to the socket: a point read must stay near a bare node:http server.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnswerRoad, clientOf } from './answer-road.js';
import type { AnswerBody, Exchange, HeaderList } from './exchange.js';
import { respondError } from './http-error.js';
import type { RequestCounts } from './request-counts.js';
import type { StreamResponse } from './stream-response.js';
import type { StreamTracker } from './stream-tracker.js';

export interface ExchangeParts {
  readonly counts: RequestCounts;
  readonly streams: StreamTracker;
  readonly road: AnswerRoad;
}

export class Http1Exchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: string;
  route = 'other';
  readonly #parts: ExchangeParts;

  constructor(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts) {
    this.request = request;
    this.response = response;
    this.#parts = parts;
    let url = request.url!;
    // The absolute form, as sent to a proxy: only path and query matter here.
    if (url.charCodeAt(0) !== 47) url = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '') || '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
  }

  get method(): string {
    return this.request.method!;
  }
  get http2(): boolean {
    return false;
  }
  get host(): string | undefined {
    return this.request.headers.host;
  }
  get requestBody(): IncomingMessage {
    return this.request;
  }
  get answered(): boolean {
    return this.response.headersSent;
  }
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : value?.join(', ');
  }

  respond(status: number, headers: HeaderList, body: AnswerBody): void {
    this.#parts.road.http1(this.response, this, status, headers, body);
  }

  refuse(error: unknown): void {
    respondError(this, error);
  }

  open(status: number, headers: HeaderList, flush = true): StreamResponse {
    this.#parts.counts.add(this.route, status);
    this.response.writeHead(status, headers);
    if (flush) this.response.flushHeaders();
    return this.#parts.streams.track(this.response, clientOf(this.response));
  }
}
