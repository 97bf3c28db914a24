// The Schema Registry's REST interface, over a registry that keeps its entries in memory: what clients of the original send, and what they
// get.
import { beforeEach, describe, expect, it } from 'vitest';
import type { RegistryFacade } from '../../../src/registry/registry-facade.js';
import { bounds } from '../../../src/core/bounds.js';
import { memoryStore, MemoryRegistry } from '../../support/memory-registry.js';
import { ask, startServer, type Reply, type TestServer } from './harness.js';

const registryType = 'application/vnd.schemaregistry.v1+json';
const record = (...fields: unknown[]) => JSON.stringify({ type: 'record', name: 'R', fields });
const one = record({ name: 'a', type: 'int' });
const two = record({ name: 'a', type: 'int' }, { name: 'b', type: 'int', default: 0 });
const bad = record({ name: 'c', type: 'int' });

let server: TestServer;
let registry: MemoryRegistry;
beforeEach(async () => {
  registry = new MemoryRegistry(memoryStore(), { usedBy: (s) => (s === 'used-value' ? 'topic used' : undefined) });
  const { service } = registry;
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(service)) as (keyof RegistryFacade)[];
  const bound = names.filter((name) => typeof service[name] === 'function' && String(name) !== 'constructor');
  server = await startServer({
    registry: Object.fromEntries(
      bound.map((name) => [name, (service[name] as (...args: unknown[]) => unknown).bind(service)]),
    ) as unknown as RegistryFacade,
  });
});

async function call(method: string, path: string, body?: unknown): Promise<Reply> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': registryType } };
  return ask(server, path, { method, ...sent });
}
const get = async (path: string): Promise<unknown> => (await call('GET', path)).json();
const post = async (path: string, body: unknown): Promise<unknown> => (await call('POST', path, body)).json();
const put = async (path: string, body: unknown): Promise<unknown> => (await call('PUT', path, body)).json();
const remove = async (path: string): Promise<unknown> => (await call('DELETE', path)).json();
const error = (number: number) => expect.objectContaining({ error_code: number }) as unknown;

describe('subjects and versions', () => {
  it('are registered, found and read, leaving AVRO unsaid', async () => {
    const registered = await call('POST', '/subjects/s/versions', { schema: one });
    expect([registered.status, registered.headers['content-type'], registered.json()]).toEqual([
      200,
      registryType,
      { id: 1 },
    ]);
    expect(await post('/subjects/s/versions', { schema: ` ${one}`, schemaType: 'AVRO', references: [] })).toEqual({
      id: 1,
    });
    expect(await post('/subjects/s/versions', { schema: two, metadata: null })).toEqual({ id: 2 });
    const found = { subject: 's', version: 1, id: 1, schema: one };
    expect(await post('/subjects/s', { schema: one })).toEqual(found);
    expect(await get('/subjects/s/versions')).toEqual([1, 2]);
    expect(await get('/subjects/s/versions/1')).toEqual(found);
    for (const latest of ['latest', '-1']) expect(await get(`/subjects/s/versions/${latest}`)).toMatchObject({ id: 2 });
    expect((await call('GET', '/subjects/s/versions/1/schema')).body).toBe(one);
    expect((await call('GET', '/schemas/ids/1/schema')).body).toBe(one);
    expect(await get('/schemas/ids/1')).toEqual({ schema: one });
    expect(await get('/schemas/ids/1?fetchMaxId=true&subject=s&findTags=false&format=&referenceFormat=')).toEqual({
      schema: one,
      maxId: 2,
    });
    await post('/subjects/other/versions', { schema: one });
    expect(await get('/schemas/ids/1/subjects')).toEqual(['other', 's']);
    expect(await get('/schemas/ids/1/versions')).toEqual([
      { subject: 'other', version: 1 },
      { subject: 's', version: 1 },
    ]);
    expect(await get('/schemas/types')).toEqual(['JSON', 'PROTOBUF', 'AVRO']);
    expect(await get('/contexts')).toEqual(['.']);
    expect(await get('/v1/metadata/version')).toEqual({ version: '1.2.3', commitId: '' });
    expect(await get('/v1/metadata/id')).toMatchObject({ id: '' });
    const accept = `${registryType}, application/vnd.schemaregistry+json, application/json`;
    expect((await ask(server, '/', { headers: { accept } })).json()).toEqual({});
    for (const prefix of ['o', ':*:o', ':.:o'])
      expect(await get(`/subjects?subjectPrefix=${prefix}`)).toEqual(['other']);
    expect(await get('/subjects/:.:s/versions')).toEqual([1, 2]);
  });

  it('are listed with their schemas, by pages', async () => {
    await post('/subjects/a/versions', { schema: one });
    await post('/subjects/a/versions', { schema: two });
    await post('/subjects/b/versions', { schema: '{"type":"object"}', schemaType: 'JSON' });
    const all = (await get('/schemas')) as { subject: string; version: number }[];
    expect(all.map(({ subject, version }) => `${subject}${version}`)).toEqual(['a1', 'a2', 'b1']);
    expect(await get('/schemas?latestOnly=true&subjectPrefix=a')).toEqual([
      { subject: 'a', version: 2, id: 2, schema: two },
    ]);
    expect(await get('/schemas?offset=1&limit=1')).toEqual([all[1]]);
    expect(await get('/schemas?limit=-1')).toEqual(all);
    expect(await get('/subjects?offset=1')).toEqual(['b']);
    expect(await get('/schemas?limit=x')).toEqual(error(400));
  });

  it('are deleted softly, are there for those who ask, and are deleted for good', async () => {
    for (const schema of [one, two]) await post('/subjects/s/versions', { schema });
    expect(await remove('/subjects/s/versions/1?permanent=true')).toEqual(error(40407));
    expect(await remove('/subjects/s/versions/1')).toBe(1);
    expect(await remove('/subjects/s/versions/1')).toEqual(error(40406));
    expect(await get('/subjects/s/versions')).toEqual([2]);
    expect(await get('/subjects/s/versions?deleted=true')).toEqual([1, 2]);
    expect(await get('/subjects/s/versions?deletedOnly=true')).toEqual([1]);
    expect(await get('/subjects/s/versions/1')).toEqual(error(40402));
    expect(await get('/subjects/s/versions/1?deleted=true')).toMatchObject({ id: 1, deleted: true });
    expect(await post('/subjects/s', { schema: one })).toEqual(error(40403));
    expect(await post('/subjects/s?deleted=true', { schema: one })).toMatchObject({ version: 1 });
    expect(await get('/schemas/ids/1')).toEqual({ schema: one });
    expect(await get('/schemas/ids/1/subjects')).toEqual([]);
    expect(await get('/schemas/ids/1/versions?deleted=true')).toEqual([{ subject: 's', version: 1 }]);
    expect(await post('/subjects/s/versions', { schema: one })).toEqual({ id: 1 });
    expect(await get('/subjects/s/versions')).toEqual([2, 3]);
    expect(await remove('/subjects/s?permanent=true')).toEqual(error(40405));
    expect(await remove('/subjects/s')).toEqual([2, 3]);
    expect(await remove('/subjects/s')).toEqual(error(40404));
    expect(await get('/subjects')).toEqual([]);
    expect(await get('/subjects?deleted=true')).toEqual(['s']);
    expect(await get('/subjects?deletedOnly=true')).toEqual(['s']);
    expect(await get('/schemas?deleted=true')).toHaveLength(3);
    expect(await get('/subjects/s/versions')).toEqual(error(40401));
    expect(await remove('/subjects/s/versions/latest?permanent=true')).toBe(3);
    expect(await remove('/subjects/s?permanent=true')).toEqual([1, 2]);
    expect(await remove('/subjects/s?permanent=true')).toEqual(error(40401));
    expect(await get('/schemas/ids/2')).toEqual(error(40403));
    // No id is given twice, whatever is gone.
    expect(await post('/subjects/s/versions', { schema: one })).toEqual({ id: 3 });
    expect(await get('/subjects/s/versions')).toEqual([1]);
  });

  it('stay while something needs them', async () => {
    await post('/subjects/used-value/versions', { schema: one });
    const references = [{ name: 'R', subject: 'used-value', version: -1 }];
    const schema = record({ name: 'r', type: 'R' }).replace('"name":"R"', '"name":"S"');
    await post('/subjects/s/versions', { schema, references });
    expect(await get('/subjects/s/versions/1')).toMatchObject({ references: [{ ...references[0], version: 1 }] });
    expect(await get('/subjects/used-value/versions/1/referencedby')).toEqual([2]);
    expect(await remove('/subjects/used-value/versions/1')).toEqual(error(42206));
    await remove('/subjects/s');
    expect(await remove('/subjects/used-value')).toEqual([1]);
    expect(await remove('/subjects/used-value?permanent=true')).toEqual(error(42206));
    await remove('/subjects/s?permanent=true');
    // The topic of a table is read by it.
    expect(await remove('/subjects/used-value?permanent=true')).toMatchObject({
      error_code: 42206,
      message: expect.stringContaining('topic used') as unknown,
    });
  });
});

describe('compatibility', () => {
  it('is told of one version, and of those that the level names', async () => {
    await post('/subjects/s/versions', { schema: one });
    const path = '/compatibility/subjects/s/versions';
    for (const version of ['', '/latest', '/1']) {
      expect(await post(`${path}${version}`, { schema: two })).toEqual({ is_compatible: true });
      expect(await post(`${path}${version}`, { schema: bad })).toEqual({ is_compatible: false });
    }
    expect(await post(`${path}?verbose=true`, { schema: bad })).toEqual({
      is_compatible: false,
      messages: [expect.stringContaining('READER_FIELD_MISSING_DEFAULT_VALUE at #/fields/0')],
    });
    expect(await post(`${path}/1?verbose=true`, { schema: two })).toEqual({ is_compatible: true, messages: [] });
    expect(await post(`${path}/7`, { schema: two })).toEqual(error(40402));
    expect(await post('/compatibility/subjects/new/versions/latest', { schema: bad })).toEqual({ is_compatible: true });
    expect(await post('/subjects/s/versions', { schema: bad })).toEqual(error(409));
  });

  it('is set for all subjects and for one, and given up', async () => {
    expect(await get('/config')).toEqual({ compatibilityLevel: 'BACKWARD' });
    expect(await get('/config/s')).toEqual(error(40408));
    expect(await get('/config/s?defaultToGlobal=true')).toEqual({ compatibilityLevel: 'BACKWARD' });
    expect(await put('/config', { compatibility: 'FULL' })).toEqual({ compatibility: 'FULL' });
    expect(await put('/config/s', { compatibility: 'NONE', normalize: false })).toEqual({ compatibility: 'NONE' });
    expect(await get('/config/s')).toEqual({ compatibilityLevel: 'NONE' });
    expect(await remove('/config/s')).toEqual({ compatibilityLevel: 'NONE' });
    expect(await remove('/config/s')).toEqual(error(40401));
    expect(await remove('/config')).toEqual({ compatibilityLevel: 'FULL' });
    expect(await get('/config')).toEqual({ compatibilityLevel: 'BACKWARD' });
    expect(await put('/config', { compatibility: 'SOME' })).toEqual(error(42203));
    for (const more of [{ alias: 'x' }, { compatibilityGroup: 'g' }, { normalize: true }, { nope: 1 }])
      expect(await put('/config', { compatibility: 'FULL', ...more })).toEqual(error(400));
  });
});

describe('modes', () => {
  it('forbid changes', async () => {
    await post('/subjects/s/versions', { schema: one });
    expect(await get('/mode')).toEqual({ mode: 'READWRITE' });
    expect(await get('/mode/s')).toEqual(error(40409));
    expect(await get('/mode/s?defaultToGlobal=true')).toEqual({ mode: 'READWRITE' });
    expect(await put('/mode/s', { mode: 'READONLY' })).toEqual({ mode: 'READONLY' });
    expect(await post('/subjects/s/versions', { schema: one })).toEqual({ id: 1 });
    expect(await post('/subjects/s/versions', { schema: two })).toEqual(error(42205));
    expect(await remove('/subjects/s')).toEqual(error(42205));
    expect(await remove('/subjects/s/versions/1')).toEqual(error(42205));
    expect(await put('/config/s', { compatibility: 'NONE' })).toEqual(error(42205));
    await put('/mode', { mode: 'READONLY' });
    await put('/mode/t', { mode: 'READWRITE' });
    expect(await post('/subjects/t/versions', { schema: one })).toEqual({ id: 1 });
    await put('/mode', { mode: 'READONLY_OVERRIDE' });
    expect(await post('/subjects/t/versions', { schema: two })).toEqual(error(42205));
    expect(await remove('/mode')).toEqual({ mode: 'READONLY_OVERRIDE' });
    expect(await remove('/mode/s')).toEqual({ mode: 'READONLY' });
    expect(await remove('/mode/s')).toEqual(error(40401));
    expect(await post('/subjects/s/versions', { schema: two })).toEqual({ id: 2 });
    expect(await put('/mode', { mode: 'FORWARD' })).toEqual(error(42204));
  });

  it('IMPORT takes ids and versions as they are given, whatever is compatible', async () => {
    await post('/subjects/s/versions', { schema: one });
    expect(await post('/subjects/s/versions', { schema: two, id: 40 })).toEqual(error(42205));
    expect(await put('/mode/s', { mode: 'IMPORT' })).toEqual(error(42205));
    expect(await put('/mode/s?force', { mode: 'IMPORT' })).toEqual({ mode: 'IMPORT' });
    expect(await post('/subjects/s/versions', { schema: two })).toEqual(error(42205));
    expect(await post('/subjects/s/versions', { schema: bad, id: 40, version: 7 })).toEqual({ id: 40 });
    expect(await get('/subjects/s/versions/7')).toMatchObject({ id: 40, schema: bad });
    expect(await post('/subjects/s/versions', { schema: two, id: 40, version: 8 })).toEqual(error(42205));
    expect(await post('/subjects/s/versions', { schema: two, id: 41, version: 7 })).toEqual(error(42205));
    await remove('/mode/s');
    await put('/mode', { mode: 'IMPORT' }).then((answer) => expect(answer).toEqual(error(42205)));
    await put('/config', { compatibility: 'NONE' });
    expect(await post('/subjects/s/versions', { schema: '"int"' })).toEqual({ id: 41 });
    expect(await get('/subjects/s/versions')).toEqual([1, 7, 8]);
    // What was deleted comes back under its number, and the others stay deleted.
    await remove('/subjects/s');
    await put('/mode/s', { mode: 'IMPORT' });
    expect(await post('/subjects/s/versions', { schema: bad, id: 40, version: 7 })).toEqual({ id: 40 });
    expect(await get('/subjects/s/versions')).toEqual([7]);
    expect(await get('/subjects/s/versions?deletedOnly=true')).toEqual([1, 8]);
  });
});

describe('what is refused', () => {
  it('has the numbers of the original', async () => {
    await post('/subjects/s/versions', { schema: one });
    expect(await get('/subjects/nope/versions')).toEqual(error(40401));
    expect(await get('/subjects/s/versions/3')).toEqual(error(40402));
    expect(await get('/schemas/ids/33')).toEqual(error(40403));
    expect(await get('/schemas/ids/33/versions')).toEqual(error(40403));
    expect(await post('/subjects/s/versions', { schema: 'x' })).toEqual(error(42201));
    expect(await post('/subjects/s/versions', { schema: one, schemaType: 'XML' })).toEqual(error(42201));
    expect(await get('/subjects/s/versions/x')).toEqual(error(42202));
    for (const subject of ['%00', ':.ctx:s', '__GLOBAL', '%20'])
      expect(await post(`/subjects/${subject}/versions`, { schema: one })).toEqual(error(42208));
    const long = 'x'.repeat(bounds.schemaSize.value + 1);
    expect(await post('/subjects/s/versions', { schema: long })).toEqual(error(42209));
    for (const references of [{}, [{ name: 'a.proto' }], [null], 'x'])
      expect(await post('/subjects/s/versions', { schema: one, references })).toEqual(error(42201));
    for (const more of [{ ruleSet: {} }, { metadata: {} }, { unknown: 1 }])
      expect(await post('/subjects/s/versions', { schema: one, ...more })).toEqual(error(400));
    expect(await get('/schemas/ids/1?format=serialized')).toEqual(error(400));
    expect(await get('/subjects?deleted=perhaps')).toEqual(error(400));
    expect((await call('PATCH', '/subjects/s')).status).toBe(405);
  });
});

it('normalize finds a schema in another order of its members', async () => {
  const schema = '{"type":"object","title":"t","properties":{"b":{},"a":{}}}';
  const other = '{"title":"t","properties":{"a":{},"b":{}},"type":"object"}';
  await post('/subjects/s/versions', { schema, schemaType: 'JSON' });
  expect(await post('/subjects/s', { schema: other, schemaType: 'JSON' })).toEqual(error(40403));
  expect(await post('/subjects/s?normalize=true', { schema: other, schemaType: 'JSON' })).toMatchObject({ version: 1 });
  expect(await post('/subjects/s/versions?normalize=true', { schema: other, schemaType: 'JSON' })).toEqual({ id: 1 });
  await post('/subjects/t/versions?normalize=true', { schema, schemaType: 'JSON' });
  expect(await get('/subjects/t/versions/1')).toMatchObject({
    schema: '{"properties":{"a":{},"b":{}},"title":"t","type":"object"}',
  });
});
