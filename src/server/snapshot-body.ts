// The body of POST /connectors/{connector}/snapshot: ours, or that of an `execute-snapshot` signal of Debezium.
import { AppError } from '../core/errors.js';
import { knownMembers } from './body.js';
import type { SnapshotRequest } from '../connect/connect-facade.js';

/** A signal has an id of its own, which nothing is told by. */
const signal = ['id', 'type', 'data'];
/** A surrogate key is what Debezium orders its chunks by: the rows are the same by any. */
const own = [
  'type',
  'tables',
  'where',
  'data-collections',
  'additional-condition',
  'additional-conditions',
  'surrogate-key',
];
const types: ReadonlySet<unknown> = new Set([undefined, 'incremental', 'INCREMENTAL']);

/** One for each condition. */
export function snapshotRequests(body: Readonly<Record<string, unknown>>): readonly SnapshotRequest[] {
  const { type, where } = body;
  // The whole signal, or its data alone.
  if (type === 'execute-snapshot') {
    knownMembers(body, signal);
    return snapshotRequests(recordOf(body['data'], '"data"'));
  }
  knownMembers(body, own);
  if (!types.has(type))
    throw new AppError('bad-request', `"type" can be incremental, not ${JSON.stringify(type)}`, {
      hint: 'a table is always read beside the stream, which goes on',
    });
  const tables = namesOf(body['tables'] ?? body['data-collections'] ?? []);
  if (where !== undefined && typeof where !== 'string') throw new AppError('bad-request', '"where" must be text');
  const conditions = conditionsOf(body);
  const plain = tables.filter((table) => !conditions.some((condition) => condition.tables.includes(table)));
  if (conditions.length > 0 && plain.length === 0) return conditions;
  return [{ tables: plain, where: where ?? alone(body['additional-condition']) }, ...conditions];
}

function namesOf(value: unknown): string[] {
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || !list.every((name) => typeof name === 'string' && name !== ''))
    throw new AppError('bad-request', '"tables" must be a list of names', { hint: '{"tables": ["shop.orders"]}' });
  return list as string[];
}

/** `additional-conditions`: of some of the tables, the rows that meet `filter`. */
function conditionsOf(body: Readonly<Record<string, unknown>>): readonly SnapshotRequest[] {
  const list = body['additional-conditions'] ?? [];
  if (!Array.isArray(list)) throw new AppError('bad-request', '"additional-conditions" must be a list');
  return list.map((each) => {
    const condition = recordOf(each, 'a condition');
    knownMembers(condition, ['data-collection', 'filter'], 'a condition');
    const { filter } = condition;
    if (typeof filter !== 'string') throw new AppError('bad-request', 'a condition has its "filter" as text');
    return { tables: namesOf(condition['data-collection']), where: filter };
  });
}

function alone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new AppError('bad-request', `${what} must be an object`);
}
