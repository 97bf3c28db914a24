// One request and its answer, as the handlers see them: the same for HTTP/1.1 and HTTP/2 (express cannot run on Node's http2
// and costs most of a point read). The adapters http1.ts and http2.ts implement it; a handler answers exactly once, either
// whole (`respond`) or as a stream (`open`).
import type { Readable } from 'node:stream';
import type { AnswerPages } from '../core/answer-pages.js';
import type { StreamResponse } from './stream-response.js';

/** Headers as a flat list, name, value, name, value: what node:http writes fastest. Content-Length is added by the adapter. */
export type HeaderList = string[];

/** Pages are freed whatever becomes of them. */
export type AnswerBody = string | Buffer | AnswerPages;

export interface Exchange {
  readonly method: string;
  /** Without the query, still percent-encoded. */
  readonly path: string;
  /** Behind the question mark, without it; empty when there is none. */
  readonly query: string;
  readonly http2: boolean;
  /** `name` in lower case. */
  header(name: string): string | undefined;
  /** Host or :authority. */
  readonly host: string | undefined;
  readonly requestBody: Readable;
  /** True once the header of an answer is out: an error can then only be told inside the stream. */
  readonly answered: boolean;
  /** Where there is no room for the answer, the client is told that instead. */
  respond(status: number, headers: HeaderList, body: AnswerBody): void;
  /** `flush` false: the header may wait for the first bytes of the body and go with them. */
  open(status: number, headers: HeaderList, flush?: boolean): StreamResponse;
  /** For the request counters: the route's name, from a bounded set. */
  route: string;
}

export const jsonType = 'application/json; charset=utf-8';
