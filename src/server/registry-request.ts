// What requests to the registry say, checked at the door. What has no effect here is refused, with the reason.
import type { Request } from 'express';
import { AppError } from '../core/errors.js';
import { bounds } from '../core/bounds.js';
import { compatibilityLevels, type CompatibilityLevel } from '../core/compatibility-level.js';
import {
  type GivenSchema,
  type RegistryMode,
  registryModes,
  type SchemaReference,
  type Shown,
} from '../registry/registry-facade.js';
import { flagParam, param, queryParam } from './admin-app.js';
import { RegistryError } from './registry-error.js';

/** Undefined: not given, or -1, which the original has for no limit. */
export function count(request: Request, name: string): number | undefined {
  const given = queryParam(request, name);
  if (given === undefined || given === '-1') return undefined;
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw new AppError('bad-request', `"${name}" is a number from 0`);
}

export function pageOf<T>(request: Request, list: readonly T[]): readonly T[] {
  const offset = count(request, 'offset') ?? 0;
  return list.slice(offset, offset + (count(request, 'limit') ?? list.length));
}

export function shownOf(request: Request): Shown {
  if (flagParam(request, 'deletedOnly')) return 'deleted';
  return flagParam(request, 'deleted') ? 'all' : 'live';
}

/** A name may say the default context; there is no other. */
const defaultContext = /^:\.:/;

export function prefixOf(request: Request): string {
  return (queryParam(request, 'subjectPrefix') ?? '').replace(/^:\*:/, '').replace(defaultContext, '');
}

export function subjectOf(request: Request): string {
  const subject = param(request, 'subject').replace(defaultContext, '');
  const reason = /^:[.*]/.test(subject)
    ? 'it names a context, and the registry has only the default one'
    : /\p{Cc}/u.test(subject)
      ? 'it has control characters'
      : subject === '__GLOBAL' || subject === '__EMPTY' || subject.trim() === ''
        ? 'the name is reserved'
        : undefined;
  if (reason === undefined) return subject;
  throw new RegistryError(42208, 'invalid-schema', `${JSON.stringify(subject)} is no subject: ${reason}`);
}

export function versionNumber(text: string): number | 'latest' {
  if (text === 'latest' || text === '-1') return 'latest';
  const version = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (version >= 1) return version;
  throw new RegistryError(
    42202,
    'unconvertible-value',
    `the version "${text}" is neither a number from 1 nor "latest"`,
  );
}

export function schemaId(request: Request): number {
  const text = param(request, 'id');
  if (!/^\d{1,10}$/.test(text)) throw new AppError('bad-request', `"${text}" is not a schema id`);
  return Number(text);
}

type Body = Readonly<Record<string, unknown>>;

function bodyObject(request: Request): Body {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('bad-request', 'the request body must be a JSON object');
  }
  return body as Body;
}

/** `without`: what members would do that are known and have no effect. */
function assertMembers(body: Body, known: readonly string[], without: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(body)) {
    if (known.includes(name) || value === null || value === false) continue;
    const reason = Object.hasOwn(without, name) ? without[name] : undefined;
    throw new AppError('bad-request', `"${name}" has no effect here`, {
      detail: reason,
      hint: `what has: ${known.join(', ')}`,
    });
  }
}

export function givenLevel(request: Request): CompatibilityLevel {
  const body = bodyObject(request);
  const level = compatibilityLevels.find((known) => known === body['compatibility']);
  if (level === undefined)
    throw new RegistryError(
      42203,
      'unconvertible-value',
      `"compatibility" must be one of ${compatibilityLevels.join(', ')}`,
    );
  assertMembers(body, ['compatibility'], {
    compatibilityGroup: 'all versions of a subject are compared, whatever their metadata say',
    compatibilityPolicy: 'JSON schemas are compared strictly',
    defaultMetadata: contracts,
    overrideMetadata: contracts,
    defaultRuleSet: contracts,
    overrideRuleSet: contracts,
    normalize: 'schemas are normalised where a request says so',
    alias: 'a subject has one name',
    validateFields: 'names of fields are not compared with reserved ones',
    validateNames: 'names are always validated',
  });
  return level;
}

export function givenMode(request: Request): RegistryMode {
  const body = bodyObject(request);
  const mode = registryModes.find((known) => known === body['mode']);
  if (mode === undefined)
    throw new RegistryError(42204, 'unconvertible-value', `"mode" must be one of ${registryModes.join(', ')}`);
  assertMembers(body, ['mode'], {});
  return mode;
}

const contracts = 'the metadata and rules of data contracts are not kept';

/** With the query parameter `normalize`. */
export function givenSchema(request: Request): GivenSchema {
  const body = bodyObject(request);
  assertMembers(body, ['schema', 'schemaType', 'references', 'id', 'version', 'subject', 'deleted', 'guid', 'ts'], {
    metadata: contracts,
    ruleSet: contracts,
    schemaTagsToAdd: contracts,
    schemaTagsToRemove: contracts,
    propagateSchemaTags: contracts,
  });
  const schema = body['schema'];
  if (typeof schema !== 'string' || schema === '')
    throw new AppError('invalid-schema', '"schema" must be the text of a schema');
  if (schema.length > bounds.schemaSize.value)
    throw new RegistryError(42209, 'invalid-schema', `the schema has more than ${bounds.schemaSize.value} characters`);
  const given = body['schemaType'] ?? 'AVRO';
  const schemaType = (['AVRO', 'JSON', 'PROTOBUF'] as const).find((known) => known === given);
  if (schemaType === undefined) throw new AppError('invalid-schema', '"schemaType" must be AVRO, JSON or PROTOBUF');
  const references = referencesOf(body['references'] ?? []);
  return {
    schema,
    schemaType,
    ...(references.length === 0 ? {} : { references }),
    ...numberIn(body, 'id'),
    ...numberIn(body, 'version'),
    ...(flagParam(request, 'normalize') ? { normalize: true } : {}),
  };
}

/** Nothing and -1 mean that it is not given. */
function numberIn(body: Body, name: 'id' | 'version'): { id?: number; version?: number } {
  const value = body[name] ?? -1;
  if (value === -1) return {};
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > 0x7f_ff_ff_ff)
    throw new AppError('invalid-schema', `"${name}" must be a whole number from 1`);
  return { [name]: value as number };
}

function referencesOf(given: unknown): SchemaReference[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [undefined];
  return list.map((each) => {
    const { name, subject, version } = (each ?? {}) as Partial<Record<keyof SchemaReference, unknown>>;
    if (typeof name === 'string' && typeof subject === 'string' && Number.isSafeInteger(version))
      return { name, subject: subject.replace(defaultContext, ''), version: version as number };
    throw new AppError('invalid-schema', '"references" is a list of {"name", "subject", "version"}');
  });
}
