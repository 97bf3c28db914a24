// The offsets of a request's body, as Kafka Connect's REST API has them (KIP-875).
import type { ConnectorOffset } from '../connect/connect-facade.js';
import { AppError } from '../core/errors.js';
import { knownMembers } from './body.js';

/** `name`: of the member of the body. */
export function parseOffsets(given: unknown, name: string): readonly ConnectorOffset[] {
  if (!Array.isArray(given) || given.length === 0)
    throw bad(`"${name}" must be a list of partitions with their offsets, not empty`);
  return given.map((each: unknown) => {
    if (isObject(each)) knownMembers(each, ['partition', 'offset'], `an item of "${name}"`);
    if (!isObject(each) || !isObject(each['partition'])) throw bad(`each of "${name}" must have a "partition" object`);
    const { partition, offset } = each;
    if (offset !== null && !isObject(offset)) throw bad(`each of "${name}" must have an "offset": an object, or null`);
    return { partition, offset };
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(message: string): AppError {
  return new AppError('bad-request', message, {
    hint: '{"offsets": [{"partition": {"server": "PREFIX"}, "offset": {...}}]}, as GET answers it; an offset of null gives it up',
  });
}
