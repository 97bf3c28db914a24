// The HTTP client of the command line. Errors of all the server's families come back as AppErrors with the code that the server
// names in a header, so that a command prints them all alike.
import { AppError, type ErrorCode, errorCodes, type ErrorPlace } from '../core/errors.js';

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly accept?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface Client {
  readonly url: string;
  /** The body as parsed JSON; undefined when there is none. */
  json(path: string, options?: RequestOptions): Promise<unknown>;
  /** The lines of a streaming answer, without the empty ones (they keep idle connections open). */
  lines(path: string, options?: RequestOptions): AsyncIterable<string>;
}

/** Longer than the server's own deadlines: one that is alive says itself that something took too long. */
const answerMsDefault = 150_000;

export function createClient(url: string, answerMs: number = answerMsDefault): Client {
  const base = checkUrl(url);

  /** What is read of the answer: within the deadline, which a stream leaves behind with its head. */
  async function request<T>(
    path: string,
    options: RequestOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { method = 'GET', body, accept = 'application/json', signal } = options;
    const headers: Record<string, string> = { accept, ...options.headers };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), answerMs);
    const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    try {
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(base + path, { method, headers, ...text, signal: either });
      if (!response.ok) throw await errorOf(response);
      return await read(response);
    } catch (cause) {
      if (cause instanceof AppError || signal?.aborted === true) throw cause;
      throw late.signal.aborted ? silent(cause) : unreachable(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  function unreachable(cause: unknown): AppError {
    return new AppError('server-unreachable', `no writethrough server answers at ${base}`, {
      hint: 'start one with "writethrough start", or name it with --url or WRITETHROUGH_URL',
      retriable: true,
      cause,
    });
  }

  function silent(cause: unknown): AppError {
    return new AppError('server-unreachable', `the server at ${base} has not answered for ${answerMs / 1000} s`, {
      hint: 'look at its log; what was asked may still take effect',
      retriable: true,
      cause,
    });
  }

  return {
    url: base,
    async json(path, options = {}) {
      const text = await request(path, options, (response) => response.text());
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    },
    async *lines(path, options = {}) {
      const response = await request(path, options, async (head) => head);
      if (response.body === null) return;
      let rest = '';
      const decoder = new TextDecoder();
      for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
        rest += decoder.decode(part, { stream: true });
        const lines = rest.split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line.trim() !== '') yield line;
      }
      rest += decoder.decode();
      if (rest.trim() !== '') yield rest;
    },
  };
}

function checkUrl(url: string): string {
  const text = /^[a-z]+:\/\//i.test(url) ? url : `http://${url}`;
  if (!URL.canParse(text))
    throw new AppError('bad-config', `"${url}" is not a URL`, { hint: 'for example http://127.0.0.1:8088' });
  return text.replace(/\/+$/, '');
}

/** The error in an answer: a problem, or ksqlDB's and Connect's shapes with our code in the header. */
async function errorOf(response: Response): Promise<AppError> {
  const text = await response.text();
  const body = parseObject(text);
  const named = firstText(body['code'], response.headers.get('writethrough-error-code')) ?? 'internal';
  const code: ErrorCode = Object.hasOwn(errorCodes, named) ? (named as ErrorCode) : 'internal';
  const full = firstText(body['detail'], body['message'], text.slice(0, 500)) ?? `HTTP status ${response.status}`;
  const [message, ...detail] = full.split('\n');
  return new AppError(code, message!, {
    detail: detail.length === 0 ? undefined : detail.join('\n'),
    hint: typeof body['hint'] === 'string' ? body['hint'] : undefined,
    place: body['place'] as ErrorPlace | undefined,
    retriable: response.status === 503,
  });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Not one of our bodies, such as a proxy's page: its text is shown as it is.
    return {};
  }
}

function firstText(...candidates: unknown[]): string | undefined {
  return candidates.find((candidate): candidate is string => typeof candidate === 'string' && candidate !== '');
}
