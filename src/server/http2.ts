// HTTP/2 (cleartext, prior knowledge) in terms of an Exchange, over Node's core API: its compatibility layer would only add
// objects. Header names go out in lower case, as the protocol wants.
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Exchange, HeaderList } from './exchange.js';
import type { RequestCounts } from './request-counts.js';
import type { StreamResponse } from './stream-response.js';
import type { StreamTracker } from './stream-tracker.js';

export class Http2Exchange implements Exchange {
  readonly stream: ServerHttp2Stream;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  route = 'other';
  readonly #headers: IncomingHttpHeaders;
  readonly #counts: RequestCounts;
  readonly #streams: StreamTracker;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, counts: RequestCounts, streams: StreamTracker) {
    this.stream = stream;
    this.#headers = headers;
    this.#counts = counts;
    this.#streams = streams;
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

  respond(status: number, headers: HeaderList, body: string | Buffer): void {
    this.#counts.add(this.route, status);
    if (this.stream.destroyed) return;
    const out = headerObject(status, headers);
    const bare = status === 304 || status === 204;
    if (!bare) out['content-length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    if (bare || this.method === 'HEAD') {
      this.stream.respond(out, { endStream: true });
    } else {
      this.stream.respond(out);
      this.stream.end(body);
    }
    // What is still unread of the request must not hold back the client's window.
    this.stream.resume();
  }

  open(status: number, headers: HeaderList): StreamResponse {
    this.#counts.add(this.route, status);
    if (!this.stream.destroyed) this.stream.respond(headerObject(status, headers));
    return this.#streams.track(this.stream, () => this.stream.close(constants.NGHTTP2_CANCEL));
  }

  /** Tells the client to come back over HTTP/1.1; clients such as curl do so by themselves. */
  refuseHttp2(): void {
    this.#counts.add(this.route, 505);
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
