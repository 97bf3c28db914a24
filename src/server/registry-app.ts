// The Schema Registry's REST interface over the registry facade: subjects, versions, ids, compatibility, with the media type
// and the error codes of the original.
import type { Express, Request } from 'express';
import { AppError } from '../core/errors.js';
import type { CompatibilityLevel, RegistryFacade, SchemaReference, SchemaType } from '../registry/registry-facade.js';
import { type AdminAppOptions, answer, answerText, createAdminApp, flagParam, param, queryParam } from './admin-app.js';
import { registryType } from './http-error.js';
import { RegistryError } from './registry-error.js';

const levels: readonly CompatibilityLevel[] = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
];

export function createRegistryApp(
  registry: () => RegistryFacade,
  options: Omit<AdminAppOptions, 'family' | 'contentType'>,
): Express {
  return createAdminApp({ ...options, family: 'registry', contentType: registryType }, (app) => {
    subjectRoutes(app, registry);
    schemaRoutes(app, registry);
    compatibilityRoutes(app, registry);
    app.get('/mode', async (_request, response) => {
      answer(response, 200, registryType, { mode: 'READWRITE' });
    });
  });
}

function subjectRoutes(app: Express, registry: () => RegistryFacade): void {
  app.get('/subjects', async (request, response) => {
    const prefix = queryParam(request, 'subjectPrefix') ?? '';
    const subjects = await registry().subjects();
    const found = subjects.filter((subject) => subject.startsWith(prefix));
    answer(response, 200, registryType, pageOf(request, found));
  });
  app.get('/subjects/:subject/versions', async (request, response) => {
    answer(response, 200, registryType, pageOf(request, await registry().versions(param(request, 'subject'))));
  });
  app.get('/subjects/:subject/versions/:version', async (request, response) => {
    const found = await versionOf(request, registry());
    answer(response, 200, registryType, withoutDefaultType(found));
  });
  app.get('/subjects/:subject/versions/:version/schema', async (request, response) => {
    const { schema } = await versionOf(request, registry());
    answerText(response, registryType, schema);
  });
  app.get('/subjects/:subject/versions/:version/referencedby', async (request, response) => {
    const version = versionNumber(param(request, 'version'));
    const ids = await versionErrors(() => registry().referencedBy(param(request, 'subject'), version));
    answer(response, 200, registryType, pageOf(request, ids));
  });
  app.post('/subjects/:subject/versions', async (request, response) => {
    const { schema, schemaType, references } = schemaBody(request);
    const registered = await registry().register(param(request, 'subject'), schema, schemaType, references);
    answer(response, 200, registryType, registered);
  });
  app.post('/subjects/:subject', async (request, response) => {
    const { schema, schemaType, references } = schemaBody(request);
    const found = await registry().lookup(param(request, 'subject'), schema, schemaType, references);
    answer(response, 200, registryType, withoutDefaultType(found));
  });
  app.delete('/subjects/:subject', async (request, response) => {
    answer(response, 200, registryType, await registry().deleteSubject(param(request, 'subject')));
  });
  app.delete('/subjects/:subject/versions/:version', (request: Request) => {
    throw new AppError('method-not-allowed', `${request.method} ${request.path} is not supported`, {
      hint: 'delete the whole subject, or leave the version: nothing reads it unless a record names it',
    });
  });
}

function schemaRoutes(app: Express, registry: () => RegistryFacade): void {
  app.get('/schemas/types', async (_request, response) => {
    answer(response, 200, registryType, ['JSON', 'PROTOBUF', 'AVRO']);
  });
  app.get('/schemas/ids/:id', async (request, response) => {
    const { schema, schemaType, references } = await registry().byId(schemaId(request));
    const used = references === undefined ? {} : { references };
    answer(response, 200, registryType, withoutDefaultType({ schemaType, ...used, schema }));
  });
  app.get('/schemas/ids/:id/schema', async (request, response) => {
    const { schema } = await registry().byId(schemaId(request));
    answerText(response, registryType, schema);
  });
  app.get('/schemas/ids/:id/subjects', async (request, response) => {
    const { subjects } = await registry().byId(schemaId(request));
    answer(response, 200, registryType, pageOf(request, [...new Set(subjects.map(({ subject }) => subject))]));
  });
  app.get('/schemas/ids/:id/versions', async (request, response) => {
    answer(response, 200, registryType, pageOf(request, (await registry().byId(schemaId(request))).subjects));
  });
}

function compatibilityRoutes(app: Express, registry: () => RegistryFacade): void {
  app.post('/compatibility/subjects/:subject/versions/:version', async (request, response) => {
    const { schema, schemaType, references } = schemaBody(request);
    const version = versionNumber(param(request, 'version'));
    const result = await versionErrors(() =>
      registry().compatible(param(request, 'subject'), version, schema, schemaType, references),
    );
    const verbose = flagParam(request, 'verbose');
    answer(response, 200, registryType, verbose ? result : { is_compatible: result.is_compatible });
  });
  app.get('/config', async (_request, response) => {
    answer(response, 200, registryType, { compatibilityLevel: await registry().config(null) });
  });
  app.get('/config/:subject', async (request, response) => {
    answer(response, 200, registryType, { compatibilityLevel: await registry().config(param(request, 'subject')) });
  });
  app.put(['/config', '/config/:subject'], async (request, response) => {
    const compatibility = bodyObject(request)['compatibility'];
    const level = levels.find((known) => known === compatibility);
    if (level === undefined) {
      throw new RegistryError(42203, 'unconvertible-value', `"compatibility" must be one of ${levels.join(', ')}`);
    }
    await registry().setConfig(request.params['subject'] === undefined ? null : param(request, 'subject'), level);
    answer(response, 200, registryType, { compatibility: level });
  });
}

async function versionOf(request: Request, registry: RegistryFacade) {
  const version = versionNumber(param(request, 'version'));
  return versionErrors(() => registry.version(param(request, 'subject'), version));
}

/** `offset` and `limit` of a list; nothing that is deleted is in one. */
function pageOf<T>(request: Request, list: readonly T[]): readonly T[] {
  const whole = (name: string, absent: number) => {
    const text = queryParam(request, name);
    if (text === undefined || text === '-1') return absent;
    if (!/^\d{1,9}$/.test(text)) throw new AppError('bad-request', `"${name}" must be a whole number, not "${text}"`);
    return Number(text);
  };
  const offset = whole('offset', 0);
  const limit = whole('limit', list.length);
  return flagParam(request, 'deletedOnly') ? [] : list.slice(offset, offset + limit);
}

/** Here an unknown schema means an unknown version, which has a number of its own. */
async function versionErrors<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof AppError && error.code === 'unknown-schema') {
      throw new RegistryError(40402, 'unknown-schema', error.message, error);
    }
    throw error;
  }
}

function versionNumber(text: string): number | 'latest' {
  if (text === 'latest' || text === '-1') return 'latest';
  const version = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (version < 1) {
    throw new RegistryError(
      42202,
      'unconvertible-value',
      `the version "${text}" is neither a number from 1 nor "latest"`,
    );
  }
  return version;
}

function schemaId(request: Request): number {
  const text = param(request, 'id');
  if (!/^\d{1,10}$/.test(text)) throw new AppError('bad-request', `"${text}" is not a schema id`);
  return Number(text);
}

function bodyObject(request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('bad-request', 'the request body must be a JSON object');
  }
  return body as Record<string, unknown>;
}

interface SchemaBody {
  readonly schema: string;
  readonly schemaType: SchemaType;
  readonly references: readonly SchemaReference[];
}

function schemaBody(request: Request): SchemaBody {
  const body = bodyObject(request);
  const schema = body['schema'];
  if (typeof schema !== 'string' || schema === '')
    throw new AppError('invalid-schema', '"schema" must be the text of a schema');
  const given = body['schemaType'] ?? 'AVRO';
  const schemaType = (['AVRO', 'JSON', 'PROTOBUF'] as const).find((known) => known === given);
  if (schemaType === undefined) throw new AppError('invalid-schema', '"schemaType" must be AVRO, JSON or PROTOBUF');
  return { schema, schemaType, references: referencesOf(body['references'] ?? []) };
}

function referencesOf(given: unknown): SchemaReference[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [undefined];
  return list.map((each) => {
    const { name, subject, version } = (each ?? {}) as Partial<Record<keyof SchemaReference, unknown>>;
    if (typeof name === 'string' && typeof subject === 'string' && Number.isSafeInteger(version))
      return { name, subject, version: version as number };
    throw new AppError('invalid-schema', '"references" is a list of {"name", "subject", "version"}');
  });
}

/** AVRO is what a missing `schemaType` means; the original leaves it out, and old clients know no such member. */
function withoutDefaultType<T extends { readonly schemaType: SchemaType }>(found: T): Record<string, unknown> {
  const { schemaType, ...rest } = found;
  return schemaType === 'AVRO' ? rest : { ...rest, schemaType };
}
