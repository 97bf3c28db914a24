// The one road of whole answers to their clients, for both protocols. Small ones go to the socket at once, and cost nothing more when it
// takes them; what it does not take, and everything long, is counted with all answers of the process, goes out piece by piece as the client
// takes it, and is cut off with a client that takes nothing. Where there is no room for an answer its client hears `overloaded` instead.
import type { ServerResponse } from 'node:http';
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Writable } from 'node:stream';
import type { AnswerBudget, AnswerShare } from '../core/answer-budget.js';
import { AnswerPages } from '../core/answer-pages.js';
import type { AnswerBody, HeaderList } from './exchange.js';
import type { RequestCounts } from './request-counts.js';
import type { StreamResponse } from './stream-response.js';
import type { StreamTracker, TrackedClient } from './stream-tracker.js';

/** Up to here an answer is handed over whole. */
const smallBytes = 64 * 1024;
/** Answers of this size are given even when there is no room: who hears of that has to hear it. */
const alwaysBytes = 1024;

export interface AnswerRoadEnv {
  readonly answers: AnswerBudget;
  readonly streams: StreamTracker;
  readonly counts: RequestCounts;
  readonly stallMs: number;
}

/** What is asked, as far as the road needs it. `refuse` answers with an error, in the shape that the client knows. */
export interface Asked {
  readonly route: string;
  readonly refuse: (error: unknown) => void;
}

export class AnswerRoad {
  readonly #env: AnswerRoadEnv;

  constructor(env: AnswerRoadEnv) {
    this.#env = env;
  }

  http1(response: ServerResponse, asked: Asked, status: number, headers: HeaderList, body: AnswerBody): void {
    const { counts, streams } = this.#env;
    const bytes = sizeOf(body);
    const bare = status === 304 || status === 204;
    if (!bare) headers.push('Content-Length', String(bytes));
    if (bytes <= smallBytes || response.req.method === 'HEAD') {
      const whole = wholeOf(body, response.req.method === 'HEAD');
      if (!this.#hasRoom(asked, whole.length)) return;
      counts.add(asked.route, status);
      response.writeHead(status, headers);
      response.end(whole);
      if (response.writableLength > 0) this.#wait(response, response.writableLength, clientOf(response));
      return;
    }
    const share = this.#share(asked, body, bytes);
    if (share === undefined) return;
    counts.add(asked.route, status);
    response.writeHead(status, headers);
    void this.#send(streams.track(response, { ...clientOf(response), counted: true }), outsideHeap(body), share);
  }

  http2(
    stream: ServerHttp2Stream,
    asked: Asked & { readonly head: boolean },
    headers: OutgoingHttpHeaders,
    body: AnswerBody,
  ): void {
    const { counts, streams } = this.#env;
    const status = headers[':status'] as number;
    const bytes = sizeOf(body);
    const bare = status === 304 || status === 204;
    if (!bare) headers['content-length'] = bytes;
    const destroy = () => stream.close(constants.NGHTTP2_CANCEL);
    if (bare || asked.head || bytes <= smallBytes) {
      const whole = wholeOf(body, bare || asked.head);
      if (!this.#hasRoom(asked, whole.length)) return;
      counts.add(asked.route, status);
      if (stream.destroyed) return;
      if (bare || asked.head) {
        stream.respond(headers, { endStream: true });
        return;
      }
      stream.respond(headers);
      stream.end(whole);
      // Nothing of it is written before this turn ends, so it waits in any case.
      this.#wait(stream, bytes, { destroy });
      return;
    }
    const share = this.#share(asked, body, bytes);
    if (share === undefined) return;
    counts.add(asked.route, status);
    if (stream.destroyed) return share.end();
    stream.respond(headers);
    void this.#send(streams.track(stream, { destroy, counted: true }), outsideHeap(body), share);
  }

  /** Undefined: there is no room, and the client has been told. */
  #share(asked: Asked, body: AnswerBody, bytes: number): AnswerShare | undefined {
    if (body instanceof AnswerPages && body.share !== undefined) return body.share;
    try {
      return this.#env.answers.take(bytes);
    } catch (error) {
      asked.refuse(error);
      return undefined;
    }
  }

  /** False: the client has been told that there is none. */
  #hasRoom(asked: Asked, bytes: number): boolean {
    if (bytes <= alwaysBytes || !this.#env.answers.isFull) return true;
    const share = this.#share(asked, '', bytes);
    share?.end();
    return share !== undefined;
  }

  async #send(stream: StreamResponse, body: Buffer | AnswerPages, share: AnswerShare): Promise<void> {
    // The server may close meanwhile: what is begun goes on until the deadline.
    this.#env.streams.onShutdown(stream, () => {});
    share.sending(() => {
      this.#env.counts.dropped();
      stream.destroy();
    });
    try {
      if (body instanceof AnswerPages) {
        for (const page of body.drain()) {
          await stream.write(page, () => share.moved());
          if (stream.ended) return;
        }
      } else await stream.write(body, () => share.moved());
      await stream.finish();
    } finally {
      if (body instanceof AnswerPages) body.free();
      share.end();
    }
  }

  /** A small answer that the socket has not taken at once. On HTTP/2 the client has to end its side, too. */
  #wait(writable: Writable, bytes: number, { destroy, connection }: TrackedClient): void {
    const cut = () => {
      this.#env.counts.dropped();
      destroy();
    };
    // Gone since before there was an answer.
    if (connection?.destroyed === true) return;
    const share = this.#env.answers.tryTake(bytes);
    if (share === undefined) return cut();
    share.sending(cut);
    const stalled = setTimeout(cut, this.#env.stallMs);
    const gone = () => {
      clearTimeout(stalled);
      share.end();
      connection?.removeListener('close', gone);
    };
    writable.once('finish', () => share.end());
    writable.once('close', gone);
    connection?.on('close', gone);
  }
}

/** A response that waits behind others of its connection has no socket yet, and never hears that there is none any more. */
export function clientOf({ req: { socket } }: ServerResponse): TrackedClient {
  return { destroy: () => socket.destroy(), connection: socket };
}

function wholeOf(body: AnswerBody, without: boolean): string | Buffer {
  if (!(body instanceof AnswerPages)) return without ? '' : body;
  if (!without) return body.take();
  body.free();
  return '';
}

/** What waits for a client must not fill the heap. */
function outsideHeap(body: AnswerBody): Buffer | AnswerPages {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

function sizeOf(body: AnswerBody): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return body instanceof AnswerPages ? body.bytes : body.length;
}
