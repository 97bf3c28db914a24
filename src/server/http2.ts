// HTTP/2 (cleartext, prior knowledge) in terms of an Exchange, over Node's core API: its compatibility layer would only add
// objects. Header names go out in lower case, as the protocol wants.
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AnswerBody, Exchange, HeaderList } from './exchange.js';
import type { ExchangeParts } from './http1.js';
import { respondError } from './http-error.js';
import type { StreamResponse } from './stream-response.js';

export class Http2Exchange implements Exchange {
  readonly stream: ServerHttp2Stream;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  route = 'other';
  readonly #headers: IncomingHttpHeaders;
  readonly #parts: ExchangeParts;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, parts: ExchangeParts) {
    this.stream = stream;
    this.#headers = headers;
    this.#parts = parts;
    // A reset by the client arrives as an error; what answers sees `close` or a destroyed stream.
    stream.on('error', () => {});
    this.method = String(headers[':method']);
    const url = headers[':path'] === undefined ? '/' : String(headers[':path']);
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
  }

  get http2(): boolean {
    return true;
  }
  get host(): string | undefined {
    return this.header(':authority') ?? this.header('host');
  }
  get requestBody(): ServerHttp2Stream {
    return this.stream;
  }
  get answered(): boolean {
    return this.stream.headersSent;
  }
  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === 'string' ? value : value?.join(', ');
  }

  get head(): boolean {
    return this.method === 'HEAD';
  }

  respond(status: number, headers: HeaderList, body: AnswerBody): void {
    this.#parts.road.http2(this.stream, this, headerObject(status, headers), body);
    // What is still unread of the request must not hold back the client's window.
    if (!this.stream.destroyed) this.stream.resume();
  }

  refuse(error: unknown): void {
    respondError(this, error);
  }

  open(status: number, headers: HeaderList): StreamResponse {
    this.#parts.counts.add(this.route, status);
    if (!this.stream.destroyed) this.stream.respond(headerObject(status, headers));
    return this.#parts.streams.track(this.stream, { destroy: () => this.stream.close(constants.NGHTTP2_CANCEL) });
  }

  /** Tells the client to come back over HTTP/1.1; clients such as curl do so by themselves. */
  refuseHttp2(): void {
    this.#parts.counts.add(this.route, 505);
    this.stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
  }
}

function headerObject(status: number, headers: HeaderList): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = { ':status': status };
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    // Fields about one connection do not exist in HTTP/2.
    if (name !== 'connection') out[name] = headers[i + 1];
  }
  return out;
}
