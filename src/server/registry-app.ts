// The Schema Registry's REST interface over the registry facade: subjects, versions, ids, compatibility, modes, with the media type
// and the error codes of the original.
import type { Express, Request, Response } from 'express';
import { AppError } from '../core/errors.js';
import type { RegisteredSchema, RegistryFacade } from '../registry/registry-facade.js';
import { type AdminAppOptions, answer, answerText, createAdminApp, flagParam, param, queryParam } from './admin-app.js';
import { registryType } from './http-error.js';
import { RegistryError } from './registry-error.js';
import {
  count,
  givenLevel,
  givenMode,
  givenSchema,
  pageOf,
  prefixOf,
  schemaId,
  shownOf,
  subjectOf,
  versionNumber,
} from './registry-request.js';

const schemasMax = 1_000;

type Registry = () => RegistryFacade;

export function createRegistryApp(
  registry: Registry,
  options: Omit<AdminAppOptions, 'family' | 'contentType'>,
): Express {
  return createAdminApp({ ...options, family: 'registry', contentType: registryType }, (app) => {
    subjectRoutes(app, registry);
    versionRoutes(app, registry);
    schemaRoutes(app, registry);
    compatibilityRoutes(app, registry);
    configRoutes(app, registry);
    modeRoutes(app, registry);
    app.get('/contexts', (_request, response) => reply(response, ['.']));
  });
}

function reply(response: Response, body: unknown): void {
  answer(response, 200, registryType, body);
}

function subjectRoutes(app: Express, registry: Registry): void {
  app.get('/subjects', async (request, response) => {
    reply(response, pageOf(request, await registry().subjects(prefixOf(request), shownOf(request))));
  });
  app.post('/subjects/:subject', async (request, response) => {
    const shown = flagParam(request, 'deleted') ? 'all' : 'live';
    const { id: _, version: __, ...given } = givenSchema(request);
    reply(response, shownSchema(await registry().lookup(subjectOf(request), given, shown)));
  });
  app.delete('/subjects/:subject', async (request, response) => {
    const deleting = registry().deleteSubject(subjectOf(request), flagParam(request, 'permanent'));
    reply(response, await numbered(deleting, { 'already-deleted': 40404, 'not-deleted': 40405 }));
  });
}

function versionRoutes(app: Express, registry: Registry): void {
  const versionOf = (request: Request): Promise<RegisteredSchema> => {
    const shown = flagParam(request, 'deleted') ? 'all' : 'live';
    const version = versionNumber(param(request, 'version'));
    return numbered(registry().version(subjectOf(request), version, shown), unknownVersion);
  };
  app.get('/subjects/:subject/versions', async (request, response) => {
    reply(response, pageOf(request, await registry().versions(subjectOf(request), shownOf(request))));
  });
  app.post('/subjects/:subject/versions', async (request, response) => {
    reply(response, await registry().register(subjectOf(request), givenSchema(request)));
  });
  app.get('/subjects/:subject/versions/:version', async (request, response) => {
    reply(response, shownSchema(await versionOf(request)));
  });
  app.get('/subjects/:subject/versions/:version/schema', async (request, response) => {
    answerText(response, registryType, (await versionOf(request)).schema);
  });
  app.get('/subjects/:subject/versions/:version/referencedby', async (request, response) => {
    const version = versionNumber(param(request, 'version'));
    const ids = await numbered(registry().referencedBy(subjectOf(request), version), unknownVersion);
    reply(response, pageOf(request, ids));
  });
  app.delete('/subjects/:subject/versions/:version', async (request, response) => {
    const version = versionNumber(param(request, 'version'));
    const deleting = registry().deleteVersion(subjectOf(request), version, flagParam(request, 'permanent'));
    reply(response, await numbered(deleting, { ...unknownVersion, 'already-deleted': 40406, 'not-deleted': 40407 }));
  });
}

function schemaRoutes(app: Express, registry: Registry): void {
  app.get('/schemas', async (request, response) => {
    const found = await registry().schemas({
      prefix: prefixOf(request),
      shown: flagParam(request, 'deleted') ? 'all' : 'live',
      latestOnly: flagParam(request, 'latestOnly'),
      offset: count(request, 'offset') ?? 0,
      limit: Math.min(schemasMax, count(request, 'limit') ?? schemasMax),
    });
    reply(response, found.map(shownSchema));
  });
  app.get('/schemas/types', (_request, response) => reply(response, ['JSON', 'PROTOBUF', 'AVRO']));
  app.get('/schemas/ids/:id', async (request, response) => {
    const { maxId, ...found } = await registry().byId(schemaId(request));
    reply(response, { ...withoutDefaultType(found), ...(flagParam(request, 'fetchMaxId') ? { maxId } : {}) });
  });
  app.get('/schemas/ids/:id/schema', async (request, response) => {
    answerText(response, registryType, (await registry().byId(schemaId(request))).schema);
  });
  app.get('/schemas/ids/:id/subjects', async (request, response) => {
    const uses = await registry().usesOf(schemaId(request), flagParam(request, 'deleted') ? 'all' : 'live');
    reply(response, pageOf(request, [...new Set(uses.map(({ subject }) => subject))]));
  });
  app.get('/schemas/ids/:id/versions', async (request, response) => {
    const uses = await registry().usesOf(schemaId(request), flagParam(request, 'deleted') ? 'all' : 'live');
    reply(response, pageOf(request, uses));
  });
}

function compatibilityRoutes(app: Express, registry: Registry): void {
  app.post(
    ['/compatibility/subjects/:subject/versions', '/compatibility/subjects/:subject/versions/:version'],
    async (request, response) => {
      const { id: _, version: __, ...given } = givenSchema(request);
      const version = request.params['version'] === undefined ? 'all' : versionNumber(param(request, 'version'));
      const result = await numbered(registry().compatible(subjectOf(request), version, given), unknownVersion);
      reply(response, flagParam(request, 'verbose') ? result : { is_compatible: result.is_compatible });
    },
  );
}

const settingPaths = (of: string) => [`/${of}`, `/${of}/:subject`];

/** Null: the path names none. */
function optionalSubject(request: Request): string | null {
  return request.params['subject'] === undefined ? null : subjectOf(request);
}

function configRoutes(app: Express, registry: Registry): void {
  app.get(settingPaths('config'), async (request, response) => {
    const subject = optionalSubject(request);
    const own = await registry().config(subject);
    const compatibilityLevel = own ?? (flagParam(request, 'defaultToGlobal') ? await registry().config(null) : null);
    if (compatibilityLevel === null)
      throw new RegistryError(40408, 'unknown-subject', `subject ${subject} has no compatibility level of its own`);
    reply(response, { compatibilityLevel });
  });
  app.put(settingPaths('config'), async (request, response) => {
    const compatibility = givenLevel(request);
    await registry().setConfig(optionalSubject(request), compatibility);
    reply(response, { compatibility });
  });
  app.delete(settingPaths('config'), async (request, response) => {
    const subject = optionalSubject(request);
    const compatibilityLevel = await registry().resetConfig(subject);
    if (compatibilityLevel === null)
      throw new RegistryError(40401, 'unknown-subject', `subject ${subject} has no compatibility level of its own`);
    reply(response, { compatibilityLevel });
  });
}

function modeRoutes(app: Express, registry: Registry): void {
  app.get(settingPaths('mode'), async (request, response) => {
    const subject = optionalSubject(request);
    const own = await registry().mode(subject);
    const mode = own ?? (flagParam(request, 'defaultToGlobal') ? await registry().mode(null) : null);
    if (mode === null) throw new RegistryError(40409, 'unknown-subject', `subject ${subject} has no mode of its own`);
    reply(response, { mode });
  });
  app.put(settingPaths('mode'), async (request, response) => {
    const mode = givenMode(request);
    const force = flagParam(request, 'force') || queryParam(request, 'force') === '';
    await registry().setMode(optionalSubject(request), mode, force);
    reply(response, { mode });
  });
  app.delete(settingPaths('mode'), async (request, response) => {
    const subject = optionalSubject(request);
    const mode = await registry().resetMode(subject);
    if (mode === null) throw new RegistryError(40401, 'unknown-subject', `subject ${subject} has no mode of its own`);
    reply(response, { mode });
  });
}

type Numbers = Readonly<Partial<Record<AppError['code'], number>>>;

/** Where an unknown schema means an unknown version. */
const unknownVersion: Numbers = { 'unknown-schema': 40402 };

/** The answer, or the error under the number that it has here. */
async function numbered<T>(asked: Promise<T>, numbers: Numbers): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const number = error instanceof AppError ? numbers[error.code] : undefined;
    if (!(error instanceof AppError) || number === undefined) throw error;
    throw new RegistryError(number, error.code, error.message, { cause: error, hint: error.hint });
  }
}

function shownSchema(found: RegisteredSchema): Record<string, unknown> {
  const { subject, version, id, schemaType, references, schema, deleted } = found;
  const used = references === undefined ? {} : { references };
  const gone = deleted === undefined ? {} : { deleted };
  return withoutDefaultType({ subject, version, id, schemaType, ...used, schema, ...gone });
}

/** AVRO is what a missing `schemaType` means; the original leaves it out, and old clients know no such member. */
function withoutDefaultType<T extends { readonly schemaType: string }>(found: T): Record<string, unknown> {
  const { schemaType, ...rest } = found;
  return schemaType === 'AVRO' ? rest : { schemaType, ...rest };
}
