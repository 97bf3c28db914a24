// Reads of /v1: tables, rows by key, pages of rows, several reads of one consistent cut. The point read is the hottest path of
// the service: synchronous from request to answer, no promise, no parsing of options unless there are some.
// Every answer says how fresh it is in its headers, also a 304 and the 404 of a missing row.
import { hash } from 'node:crypto';
import { AnswerPages } from '../core/answer-pages.js';
import { printType } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { sameName } from '../core/names.js';
import type { Freshness, ReadRequest, TableSummary } from '../query/query-facade.js';
import { knownMembers, optionalString, readBodyObject } from './body.js';
import { type AnswerBody, type Exchange, type HeaderList, jsonType } from './exchange.js';
import { errorAnswer } from './http-error.js';
import { bodyPullOptions, decodeSegment, positionStyle, pullOptions, wholeNumber } from './query-string.js';
import type { ServerContext } from './server-context.js';

const rowsLimitMax = 100_000;
const rowsLimitDefault = 1_000;
/** More reads in one request than this are no page's need but a mistake. */
const readsMax = 1_000;

export function freshnessHeaders(freshness: Freshness): HeaderList {
  const headers = [
    'Writethrough-Version',
    freshness.version,
    'Writethrough-Lag-Ms',
    String(freshness.lagMs),
    'Writethrough-Position',
    freshness.position,
  ];
  if (freshness.stale !== undefined) headers.push('Writethrough-Stale', freshness.stale);
  return headers;
}

/** GET /v1/tables/{table}/rows/{key}. `keyText` stays percent-encoded: a composite key's commas separate its parts. */
export function readRow(
  context: ServerContext,
  exchange: Exchange,
  table: string,
  keyText: string,
): Promise<void> | void {
  exchange.route = 'row';
  if (exchange.query !== '' || exchange.header('writethrough-at-least') !== undefined) {
    return readRowWithOptions(context, exchange, table, keyText);
  }
  const started = performance.now();
  const row = context.facades.query.point(table, keyText, 'strings');
  answerRow(exchange, table, keyText, row);
  context.counts.pull('row', (performance.now() - started) / 1000);
}

async function readRowWithOptions(
  context: ServerContext,
  exchange: Exchange,
  table: string,
  keyText: string,
): Promise<void> {
  const started = performance.now();
  const options = pullOptions(exchange, new URLSearchParams(exchange.query));
  const { query } = context.facades;
  if (options.atLeast !== undefined) await query.waitFor(options.atLeast, options.waitMs!);
  answerRow(exchange, table, keyText, query.point(table, keyText, options.numbers ?? 'strings', options.position));
  context.counts.pull('row', (performance.now() - started) / 1000);
}

function answerRow(
  exchange: Exchange,
  table: string,
  keyText: string,
  row: { readonly json: string | null } & Freshness,
): void {
  if (row.json === null) {
    const missing = new AppError('unknown-row', `table "${table}" has no row with key "${safeDecode(keyText)}"`);
    const { status, contentType, body } = errorAnswer('v1', missing);
    exchange.respond(status, ['Content-Type', contentType, ...freshnessHeaders(row)], body);
    return;
  }
  answerJson(exchange, row.json, row);
}

/** A JSON text with its ETag, or 304 when the client has that very text. */
function answerJson(exchange: Exchange, json: string, freshness: Freshness): void {
  answerTagged(exchange, json, `"${hash('sha1', json, 'base64url')}"`, freshness);
}

function answerTagged(exchange: Exchange, body: AnswerBody, etag: string, freshness: Freshness): void {
  const headers: HeaderList = [
    'Content-Type',
    jsonType,
    'ETag',
    etag,
    'Cache-Control',
    'no-cache',
    'Writethrough-Version',
    freshness.version,
    'Writethrough-Lag-Ms',
    String(freshness.lagMs),
    'Writethrough-Position',
    freshness.position,
  ];
  if (freshness.stale !== undefined) headers.push('Writethrough-Stale', freshness.stale);
  const held = exchange.header('if-none-match');
  if (held !== undefined && matchesEtag(held, etag)) {
    if (body instanceof AnswerPages) body.free();
    exchange.respond(304, headers, '');
  } else exchange.respond(200, headers, body);
}

function matchesEtag(header: string, etag: string): boolean {
  if (header === etag || header.trim() === '*') return true;
  return header.split(',').some((part) => part.trim().replace(/^W\//, '') === etag);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Only for the message: a key that does not decode is shown as it came.
    return text;
  }
}

function wantedPosition({ query }: Exchange) {
  return query === '' ? undefined : positionStyle(new URLSearchParams(query).get('position'));
}

export async function listTables(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'tables';
  const answer = await context.facades.query.tables(wantedPosition(exchange));
  answerJson(exchange, JSON.stringify({ tables: answer.tables.map(tableJson) }), answer);
}

export async function describeTable(context: ServerContext, exchange: Exchange, name: string): Promise<void> {
  exchange.route = 'table';
  const answer = await context.facades.query.tables(wantedPosition(exchange));
  const table = findTable(answer.tables, name);
  answerJson(exchange, JSON.stringify(tableJson(table)), table.freshness);
}

export function findTable(tables: readonly TableSummary[], name: string): TableSummary {
  const found =
    tables.find((t) => t.name === name) ??
    tables.find((t) => t.alias === name) ??
    tables.find((t) => sameName(t.name, name));
  if (found === undefined) {
    throw new AppError('unknown-table', `there is no table "${name}"`, { hint: 'GET /v1/tables lists the tables' });
  }
  return found;
}

function tableJson(table: TableSummary): Record<string, unknown> {
  const { columns, keyColumns } = table.schema;
  return {
    name: table.name,
    rowCount: table.rowCount,
    visible: table.visible,
    ...(table.stopped ? { stoppedAt: table.freshness.version } : {}),
    columns: columns.map((column, i) => ({
      name: column.name,
      type: printType(column.type),
      key: keyColumns.includes(i),
    })),
    keyColumns: keyColumns.map((i) => columns[i]!.name),
  };
}

/** GET /v1/tables/{table}/rows?limit&after: a page, `{"rows":[...],"next":...}`. */
export async function readRows(context: ServerContext, exchange: Exchange, table: string): Promise<void> {
  exchange.route = 'rows';
  const started = performance.now();
  const params = new URLSearchParams(exchange.query);
  const read: ReadRequest = {
    table,
    limit: wholeNumber(params, 'limit', rowsLimitMax) ?? rowsLimitDefault,
    after: params.get('after') ?? undefined,
  };
  const { pages, etag, ...freshness } = await context.facades.query.rows(read, pullOptions(exchange, params));
  answerTagged(exchange, pages, etag, freshness);
  context.counts.pull('rows', (performance.now() - started) / 1000);
}

/** POST /v1/read `{"reads":[{"table","key"?,"limit"?,"after"?}], "atLeast"?, "waitMs"?, "stale"?, "numbers"?, "position"?}`. */
export async function readMany(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'read';
  const started = performance.now();
  const body = await readBodyObject(exchange, context.options.bodyBytesMax);
  knownMembers(body, ['reads', 'atLeast', 'waitMs', 'stale', 'numbers', 'position']);
  const options = bodyPullOptions(exchange, new URLSearchParams(exchange.query), body);
  const reads = parseReads(body['reads']);
  const { pages, etag, ...freshness } = await context.facades.query.read(reads, options);
  answerTagged(exchange, pages, etag, freshness);
  context.counts.pull('read', (performance.now() - started) / 1000);
}

function parseReads(value: unknown): ReadRequest[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new AppError('bad-request', '"reads" must be a list with at least one read', {
      hint: 'for example {"reads":[{"table":"customers","key":"7"},{"table":"orders"}]}',
    });
  }
  if (value.length > readsMax) throw new AppError('bad-request', `"reads" has more than ${readsMax} items`);
  return value.map((item: unknown, i): ReadRequest => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      throw new AppError('bad-request', `"reads" item ${i} must be an object`);
    }
    const read = item as Record<string, unknown>;
    knownMembers(read, ['table', 'key', 'limit', 'after'], `"reads" item ${i}`);
    const table = optionalString(read, 'table');
    if (table === undefined) throw new AppError('bad-request', `"reads" item ${i} has no "table"`);
    const key = read['key'];
    if (key !== undefined && typeof key !== 'string' && typeof key !== 'number') {
      throw new AppError('bad-request', `"key" of "reads" item ${i} must be a string`);
    }
    const limit = read['limit'];
    if (limit !== undefined && (!Number.isInteger(limit) || (limit as number) < 0)) {
      throw new AppError('bad-request', `"limit" of "reads" item ${i} must be a whole number`);
    }
    if (key !== undefined && read['after'] !== undefined)
      throw new AppError('bad-request', `"reads" item ${i} asks for one row by its "key", and for rows behind "after"`);
    return {
      table,
      key: key === undefined ? undefined : String(key),
      limit: limit as number | undefined,
      after: optionalString(read, 'after'),
    };
  });
}

/** POST /v1/tables/{table}/rebuild */
export async function rebuildTable(context: ServerContext, exchange: Exchange, table: string): Promise<void> {
  exchange.route = 'rebuild';
  const progress = await context.facades.statements.rebuild(table);
  exchange.respond(202, ['Content-Type', jsonType, 'Location', '/v1/rebuilds'], JSON.stringify(progress));
}

export async function listRebuilds(context: ServerContext, exchange: Exchange): Promise<void> {
  exchange.route = 'rebuilds';
  const rebuilds = await context.facades.statements.rebuilds();
  exchange.respond(200, ['Content-Type', jsonType, 'Cache-Control', 'no-store'], JSON.stringify({ rebuilds }));
}

/** What stands behind /v1/tables/, by hand: `{table}`, `{table}/rows`, `{table}/rows/{key}`, `/changes`, `/rebuild`. */
export interface TablePath {
  readonly table: string;
  readonly verb: 'table' | 'rows' | 'row' | 'changes' | 'rebuild';
  readonly key: string;
}

export function parseTablePath(path: string, start: number): TablePath | undefined {
  const slash = path.indexOf('/', start);
  if (slash < 0)
    return path.length > start ? { table: decodeSegment(path.slice(start)), verb: 'table', key: '' } : undefined;
  const table = decodeSegment(path.slice(start, slash));
  // A key may be the empty text.
  if (path.startsWith('/rows/', slash)) return { table, verb: 'row', key: path.slice(slash + 6) };
  switch (path.slice(slash)) {
    case '/rows':
      return { table, verb: 'rows', key: '' };
    case '/changes':
      return { table, verb: 'changes', key: '' };
    case '/rebuild':
      return { table, verb: 'rebuild', key: '' };
    default:
      return undefined;
  }
}
