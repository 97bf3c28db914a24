// The paths of the Schema Registry. Its clients send some parameters always, whatever they want: each of those is known here.
import { bool, indifferent, type Json, ok, operation, parameter, ref, text, whole } from './openapi-build.js';

const subject = parameter('path', 'subject', text, 'name of the subject');
const version = parameter('path', 'version', text, 'a version number or "latest"');
const schemaId = parameter('path', 'id', whole, 'id of a schema');

const deleted = indifferent('deleted', bool, 'what is deleted is not told any more');
const deletedOnly = parameter('query', 'deletedOnly', bool, 'true: none, since what is deleted is not told any more');
const normalize = indifferent('normalize', bool, 'schemas are always compared in their normal form');
const permanent = indifferent('permanent', bool, 'there is one way to delete');
const oneContext = indifferent('subject', text, 'there is one context, in which ids are those of all subjects');
const toGlobal = indifferent('defaultToGlobal', bool, 'the level that holds is answered');
const page: readonly Json[] = [
  parameter('query', 'offset', { ...whole, default: 0 }, 'how many are left out in front'),
  parameter('query', 'limit', { type: 'integer', minimum: -1, default: -1 }, 'how many at most; -1: all'),
];
/** Only as it is by default: other forms of a schema are not there. */
const format = parameter('query', 'format', { type: 'string', const: '' }, 'only the schema as it is');
const maxId = parameter('query', 'fetchMaxId', { type: 'boolean', const: false }, 'the highest id is not told');

const registryOk = (schema: Json): Json => ok(schema, undefined, 'application/vnd.schemaregistry.v1+json');

function registryCall(summary: string, parameters: readonly Json[], schema: Json, body?: Json): Json {
  return operation({
    summary,
    tag: 'Schema Registry',
    parameters,
    responses: { 200: registryOk(schema) },
    ...(body === undefined ? {} : { body }),
  });
}

const texts: Json = { type: 'array', items: text };
const numbers: Json = { type: 'array', items: whole };
const anySchema: Json = { type: ['object', 'array', 'string'] };

export const registryPaths: Json = {
  '/subjects': {
    get: registryCall(
      'list the subjects',
      [parameter('query', 'subjectPrefix', text, 'only those that begin so'), deleted, deletedOnly, ...page],
      texts,
    ),
  },
  '/subjects/{subject}': {
    post: registryCall(
      'find a schema under the subject',
      [subject, normalize, deleted, format],
      ref('RegisteredSchema'),
      ref('SchemaBody'),
    ),
    delete: registryCall('delete the subject', [subject, permanent], numbers),
  },
  '/subjects/{subject}/versions': {
    get: registryCall('versions of the subject', [subject, deleted, deletedOnly, ...page], numbers),
    post: registryCall(
      'register a schema',
      [subject, normalize, format],
      { type: 'object', properties: { id: whole } },
      ref('SchemaBody'),
    ),
  },
  '/subjects/{subject}/versions/{version}': {
    get: registryCall('one version', [subject, version, deleted, format], ref('RegisteredSchema')),
  },
  '/subjects/{subject}/versions/{version}/referencedby': {
    get: registryCall('ids of the schemas that refer to a version', [subject, version, ...page], numbers),
  },
  '/subjects/{subject}/versions/{version}/schema': {
    get: registryCall('the schema itself', [subject, version, deleted, format], anySchema),
  },
  '/schemas/ids/{id}/schema': {
    get: registryCall('the schema itself', [schemaId, oneContext, format], anySchema),
  },
  '/schemas/ids/{id}/subjects': {
    get: registryCall('subjects of a schema', [schemaId, oneContext, deleted, ...page], texts),
  },
  '/schemas/ids/{id}/versions': {
    get: registryCall('subjects and versions of a schema', [schemaId, oneContext, deleted, ...page], {
      type: 'array',
      items: { type: 'object' },
    }),
  },
  '/mode': { get: registryCall('mode of the registry: always READWRITE', [toGlobal], { type: 'object' }) },
  '/schemas/types': { get: registryCall('kinds of schemas', [], texts) },
  '/schemas/ids/{id}': {
    get: registryCall('a schema by its id', [schemaId, oneContext, format, maxId], ref('SchemaBody')),
  },
  '/compatibility/subjects/{subject}/versions/{version}': {
    post: registryCall(
      'check a schema against a version',
      [subject, version, normalize, parameter('query', 'verbose', bool, 'true: with the reasons')],
      { type: 'object', properties: { is_compatible: { type: 'boolean' } } },
      ref('SchemaBody'),
    ),
  },
  '/config': {
    get: registryCall('compatibility level', [toGlobal], { type: 'object' }),
    put: registryCall('set the compatibility level', [], { type: 'object' }, ref('Compatibility')),
  },
  '/config/{subject}': {
    get: registryCall('compatibility level of a subject', [subject, toGlobal], { type: 'object' }),
    put: registryCall('set the compatibility level of a subject', [subject], { type: 'object' }, ref('Compatibility')),
  },
};
