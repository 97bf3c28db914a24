// HTTP/1.1 in terms of an Exchange. One small object per request, the header in one writeHead call with a flat list, header
// and body in one write to the socket: a point read must stay near a bare node:http server.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, HeaderList } from './exchange.js';
import type { RequestCounts } from './request-counts.js';
import type { StreamResponse } from './stream-response.js';
import type { StreamTracker } from './stream-tracker.js';

export class Http1Exchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: string;
  route = 'other';
  readonly #counts: RequestCounts;
  readonly #streams: StreamTracker;

  constructor(request: IncomingMessage, response: ServerResponse, counts: RequestCounts, streams: StreamTracker) {
    this.request = request;
    this.response = response;
    this.#counts = counts;
    this.#streams = streams;
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

  respond(status: number, headers: HeaderList, body: string | Buffer): void {
    this.#counts.add(this.route, status);
    if (status !== 304 && status !== 204) {
      headers.push('Content-Length', String(typeof body === 'string' ? Buffer.byteLength(body) : body.length));
    }
    this.response.writeHead(status, headers);
    this.response.end(body);
  }

  open(status: number, headers: HeaderList, flush = true): StreamResponse {
    this.#counts.add(this.route, status);
    this.response.writeHead(status, headers);
    if (flush) this.response.flushHeaders();
    return this.#streams.track(this.response, () => this.response.destroy());
  }
}
