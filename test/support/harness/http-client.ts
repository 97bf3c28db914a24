// Requests to the program under test: one answer as text, or a stream of text. Plain `node:http`, so that a test sees what is on
// the wire and sets headers that fetch forbids.
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | string | Buffer;
  readonly timeoutMs?: number;
}

const agent = new Agent({ keepAlive: true });

export function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, timeoutMs = 30_000 } = options;
    const payload =
      body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const headers: Record<string, string | number> = { ...options.headers };
    if (payload !== undefined) {
      headers['content-type'] ??= 'application/json';
      headers['content-length'] = Buffer.byteLength(payload);
    }
    const sent = httpRequest(
      url,
      { agent, method: options.method ?? (payload === undefined ? 'GET' : 'POST'), headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on('error', reject);
        response.on('aborted', () => reject(new Error('the answer broke off')));
      },
    );
    sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer from ${url} in ${timeoutMs} ms`)));
    sent.on('error', reject);
    sent.end(payload);
  });
}

/** The JSON of an answer that must be a success. */
export async function requestJson<T>(url: string, options: RequestOptions = {}): Promise<T> {
  const { status, text } = await request(url, options);
  if (status < 200 || status > 299) throw new Error(`${options.method ?? ''} ${url}: ${status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}

export interface TextStream {
  readonly status: number;
  readonly text: AsyncIterable<string>;
  close(): void;
}

/** An answer that goes on; on its own connection. Iterating rejects when it breaks off. */
export function openStream(url: string, headers: Readonly<Record<string, string>>): Promise<TextStream> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent: false, headers }, (response) => {
      response.setEncoding('utf8');
      resolve({
        status: response.statusCode ?? 0,
        text: response as AsyncIterable<string>,
        close: () => sent.destroy(),
      });
    });
    sent.setTimeout(60_000, () => sent.destroy(new Error(`nothing from ${url} for a minute`)));
    sent.on('error', reject);
    sent.end();
  });
}
