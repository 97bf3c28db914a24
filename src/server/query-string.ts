// The query part of a URL, typed: numbers, words, and the options that every read takes. What does not fit is refused by name,
// never ignored.
import { AppError } from '../core/errors.js';
import type { NumberStyle, PositionStyle, PullOptions } from '../query/query-facade.js';
import type { Exchange } from './exchange.js';

export type QueryParams = URLSearchParams;

/** Longest wait for a version that a request can ask for; longer ones hold a connection for nothing. */
const waitMsMax = 60_000;
const waitMsDefault = 10_000;

export function wholeNumber(params: QueryParams, name: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const text = params.get(name);
  if (text === null) return undefined;
  return checkWhole(text, name, max);
}

function checkWhole(text: string, name: string, max: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max))
    throw new AppError('bad-request', `"${name}" must be a whole number from 0 to ${max}, not "${text.slice(0, 40)}"`);
  return value;
}

export function numberStyle(value: unknown): NumberStyle {
  if (value === undefined || value === null || value === '' || value === 'string' || value === 'strings')
    return 'strings';
  if (value === 'literal' || value === 'literals') return 'literals';
  throw new AppError('bad-request', `"numbers" must be "strings" or "literals"`);
}

export function staleOk(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (value === 'ok') return true;
  throw new AppError('bad-request', '"stale" can only be "ok"');
}

export function positionStyle(value: unknown): PositionStyle {
  if (value === undefined || value === null || value === '' || value === 'token') return 'token';
  if (value === 'full') return 'full';
  throw new AppError('bad-request', `"position" must be "token" or "full"`);
}

/** `?atLeast= &waitMs= &stale=ok &numbers=literals &position=full`, and the header Writethrough-At-Least. */
export function pullOptions(exchange: Exchange, params: QueryParams): PullOptions {
  const atLeast = params.get('atLeast') ?? exchange.header('writethrough-at-least');
  return {
    atLeast,
    waitMs: atLeast === undefined ? undefined : (wholeNumber(params, 'waitMs', waitMsMax) ?? waitMsDefault),
    staleOk: staleOk(params.get('stale')),
    numbers: numberStyle(params.get('numbers')),
    position: positionStyle(params.get('position')),
  };
}

/** The same from the members of a JSON body, which go before those of the URL. */
export function bodyPullOptions(exchange: Exchange, params: QueryParams, body: Record<string, unknown>): PullOptions {
  const base = pullOptions(exchange, params);
  const atLeast = body['atLeast'] ?? base.atLeast;
  if (atLeast !== undefined && typeof atLeast !== 'string')
    throw new AppError('bad-request', '"atLeast" must be a string');
  const waitMs = body['waitMs'];
  if (waitMs !== undefined && (!Number.isInteger(waitMs) || (waitMs as number) < 0 || (waitMs as number) > waitMsMax)) {
    throw new AppError('bad-request', `"waitMs" must be a whole number from 0 to ${waitMsMax}`);
  }
  return {
    atLeast,
    waitMs: atLeast === undefined ? undefined : ((waitMs as number | undefined) ?? base.waitMs ?? waitMsDefault),
    staleOk: body['stale'] === undefined ? base.staleOk : staleOk(body['stale']),
    numbers: body['numbers'] === undefined ? base.numbers : numberStyle(body['numbers']),
    position: body['position'] === undefined ? base.position : positionStyle(body['position']),
  };
}

/** A path segment in plain text. */
export function decodeSegment(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new AppError('bad-request', `"${text.slice(0, 80)}" in the path is not valid percent-encoding`, { cause });
  }
}
