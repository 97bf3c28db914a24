// Reads a request body within a limit. Too long gives body-too-large; the rest is then read and thrown away up to a bound, so
// that the client can finish sending and see the answer instead of a reset connection.
import type { Readable } from 'node:stream';
import { AppError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import type { Exchange } from './exchange.js';

/** How much more than the limit is still read, and dropped, before the connection is cut. */
const discardFactor = 32;

export interface BodyLimits {
  readonly bytesMax: number;
}

export function readBody(body: Readable, contentLength: string | undefined, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    let over = false;
    const tooLarge = () => {
      over = true;
      parts.length = 0;
      reject(
        new AppError('body-too-large', `the request body is over the limit of ${limits.bytesMax} bytes`, {
          hint: 'send less at once, or raise the option http.body-bytes-max',
        }),
      );
    };
    body.on('data', (part: Buffer) => {
      size += part.length;
      if (over) {
        if (size > limits.bytesMax * discardFactor) body.destroy();
        return;
      }
      if (size > limits.bytesMax) tooLarge();
      else parts.push(part);
    });
    body.on('end', () => {
      if (!over) resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    });
    body.on('error', (cause) => reject(cutShort(cause)));
    body.on('close', () => reject(cutShort(undefined)));
    if (contentLength !== undefined && Number(contentLength) > limits.bytesMax) tooLarge();
  });
}

function cutShort(cause: unknown): AppError {
  return new AppError('bad-request', 'the connection ended inside the request body', { cause });
}

/** The body as a JSON object. Whatever Content-Type says: several clients send none. */
export async function readBodyObject(exchange: Exchange, bytesMax: number): Promise<Record<string, unknown>> {
  const body = await readBody(exchange.requestBody, exchange.header('content-length'), { bytesMax });
  return parseJsonObject(body.toString('utf8'));
}

export function parseJsonObject(text: string): Record<string, unknown> {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('bad-request', 'the request body must be a JSON object');
  }
  return value as Record<string, unknown>;
}

export function parseJson(text: string): unknown {
  if (text.trim() === '') throw new AppError('bad-request', 'the request body is empty; a JSON text is expected');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('bad-request', 'the request body is not valid JSON', {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

/** Refuses members that nothing would read, with the nearest of those that are. */
export function knownMembers(body: object, known: readonly string[], where = 'the request body'): void {
  for (const name of Object.keys(body)) {
    if (known.includes(name)) continue;
    throw new AppError('unknown-parameter', `${where} has an unknown member "${name.slice(0, 100)}"`, {
      hint: didYouMean(name.slice(0, 100), known) ?? `it can have ${known.join(', ')}`,
      place: { path: name.slice(0, 100) },
    });
  }
}

/** A member that must be a string when it is there. */
export function optionalString(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new AppError('bad-request', `"${name}" must be a string`);
  return value;
}

export function requiredString(body: Record<string, unknown>, name: string): string {
  const value = optionalString(body, name);
  if (value === undefined) throw new AppError('bad-request', `"${name}" is missing in the request body`);
  return value;
}

/** A member that must be an object when it is there; empty otherwise. */
export function optionalObject(body: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = body[name];
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new AppError('bad-request', `"${name}" must be an object`);
  }
  return value as Record<string, unknown>;
}

/** Text values by name, from scalars: how Kafka Connect and ksqlDB read such maps. */
export function textMap(body: Record<string, unknown>, subject: string): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue;
    if (typeof value === 'object') {
      throw new AppError('bad-request', `the value of "${name}" in ${subject} must be a string`);
    }
    entries.push([name, String(value as string | number | boolean)]);
  }
  // Not by assignment: that of `__proto__` would be lost.
  return Object.fromEntries(entries);
}
