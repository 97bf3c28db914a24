// The paths of the Schema Registry. Its clients send some parameters always, whatever they want: each of those is known here.
import { bool, indifferent, type Json, ok, operation, parameter, ref, text, whole } from './openapi-build.js';

const subject = parameter(
  'path',
  'subject',
  text,
  'name of the subject; `:.:` in front of it is the default context, the only one',
);
const version = parameter('path', 'version', text, 'a version number, "latest" or -1');
const schemaId = parameter('path', 'id', whole, 'id of a schema');

const boolean = (name: string, description: string): Json => parameter('query', name, bool, description);
const deleted = boolean('deleted', 'with those that are deleted softly');
const deletedOnly = boolean('deletedOnly', 'only those that are deleted softly');
const permanent = boolean('permanent', 'for good, which has to follow a soft deletion');
const normalize = boolean('normalize', 'the order of members makes no other schema');
const verbose = boolean('verbose', 'with what stands in the way');
const defaultToGlobal = boolean('defaultToGlobal', 'that of all subjects where the subject has none');
const subjectPrefix = parameter('query', 'subjectPrefix', text, 'what the names begin with');
const offset = parameter('query', 'offset', whole, 'how many are passed over');
const limit = parameter('query', 'limit', { type: 'integer', minimum: -1 }, 'how many are told at most; -1: all');
/** Only as it is by default: other forms of a schema are not there. */
const format = parameter('query', 'format', { type: 'string', const: '' }, 'only the schema in its normal form');
const ofSubject = indifferent('subject', text, 'there is one context, in which ids are those of all subjects');

/** What the original's own clients send since its version 7.5 and 8. */
const findTags = indifferent('findTags', bool, 'tags of schemas are not kept');
const referenceFormat = indifferent('referenceFormat', text, 'references are told as they were given');

const answered = (schema: Json): Json => ok(schema, undefined, 'application/vnd.schemaregistry.v1+json');
const versions: Json = { type: 'array', items: whole };
const schemaItself: Json = { type: ['object', 'array', 'string'] };
const object: Json = { type: 'object' };

function call(summary: string, parameters: readonly Json[], schema: Json, body?: Json): Json {
  return operation({
    summary,
    tag: 'Schema Registry',
    parameters,
    responses: { 200: answered(schema) },
    ...(body === undefined ? {} : { body }),
  });
}

const isCompatible: Json = {
  type: 'object',
  properties: { is_compatible: { type: 'boolean' }, messages: { type: 'array', items: text } },
};

/** The setting of all subjects and that of one have the same calls. */
function setting(path: string, name: string, body: Json, more: readonly Json[] = []): Json {
  const calls = (of: string, parameters: readonly Json[], reading: readonly Json[]): Json => ({
    get: call(`${name} ${of}`, [...parameters, ...reading], object),
    put: call(`set the ${name} ${of}`, [...parameters, ...more], object, body),
    delete: call(`give up the ${name} ${of}; answers the one that held`, parameters, object),
  });
  return {
    [path]: calls('of all subjects', [], [defaultToGlobal]),
    [`${path}/{subject}`]: calls('of a subject', [subject], [defaultToGlobal]),
  };
}

export const registryPaths: Json = {
  '/subjects': {
    get: call('list the subjects', [subjectPrefix, deleted, deletedOnly, offset, limit], {
      type: 'array',
      items: text,
    }),
  },
  '/subjects/{subject}': {
    post: call(
      'find a schema under the subject',
      [subject, deleted, normalize, format],
      ref('RegisteredSchema'),
      ref('SchemaBody'),
    ),
    delete: call('delete the subject; answers its versions', [subject, permanent], versions),
  },
  '/subjects/{subject}/versions': {
    get: call('versions of the subject', [subject, deleted, deletedOnly, offset, limit], versions),
    post: call(
      'register a schema',
      [subject, normalize, format],
      { type: 'object', properties: { id: whole } },
      ref('SchemaBody'),
    ),
  },
  '/subjects/{subject}/versions/{version}': {
    get: call('one version', [subject, version, deleted, format, referenceFormat, findTags], ref('RegisteredSchema')),
    delete: call('delete one version', [subject, version, permanent], whole),
  },
  '/subjects/{subject}/versions/{version}/referencedby': {
    get: call('ids of the schemas that refer to a version', [subject, version, offset, limit], versions),
  },
  '/subjects/{subject}/versions/{version}/schema': {
    get: call('the schema itself', [subject, version, deleted, format], schemaItself),
  },
  '/schemas': {
    get: call(
      'schemas of all subjects, 1,000 at most',
      [
        subjectPrefix,
        deleted,
        boolean('latestOnly', 'the newest of each subject'),
        indifferent('aliases', bool, 'a subject has one name'),
        offset,
        limit,
      ],
      { type: 'array', items: ref('RegisteredSchema') },
    ),
  },
  '/schemas/types': { get: call('kinds of schemas', [], { type: 'array', items: text }) },
  '/schemas/ids/{id}': {
    get: call(
      'a schema by its id',
      [
        schemaId,
        ofSubject,
        format,
        referenceFormat,
        findTags,
        boolean('fetchMaxId', 'with the highest id that was ever given'),
      ],
      ref('SchemaBody'),
    ),
  },
  '/schemas/ids/{id}/schema': { get: call('the schema itself', [schemaId, ofSubject, format], schemaItself) },
  '/schemas/ids/{id}/subjects': {
    get: call('subjects of a schema', [schemaId, ofSubject, deleted, offset, limit], { type: 'array', items: text }),
  },
  '/schemas/ids/{id}/versions': {
    get: call('subjects and versions of a schema', [schemaId, ofSubject, deleted, offset, limit], {
      type: 'array',
      items: object,
    }),
  },
  '/compatibility/subjects/{subject}/versions': {
    post: call(
      'check a schema against the versions that the level names',
      [subject, verbose, normalize],
      isCompatible,
      ref('SchemaBody'),
    ),
  },
  '/compatibility/subjects/{subject}/versions/{version}': {
    post: call(
      'check a schema against a version',
      [subject, version, verbose, normalize],
      isCompatible,
      ref('SchemaBody'),
    ),
  },
  ...setting('/config', 'compatibility level', ref('Compatibility')),
  ...setting('/mode', 'mode', ref('RegistryMode'), [
    { ...boolean('force', 'IMPORT also where there are schemas already'), allowEmptyValue: true },
  ]),
  '/contexts': { get: call('contexts: always the default one', [], { type: 'array', items: text }) },
  '/v1/metadata/version': { get: call('version of the server', [], object) },
};
