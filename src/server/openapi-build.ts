// How an operation of the OpenAPI description is put together: parameters, answers, and the error shape of its family.
import { standings } from '../core/freshness.js';

export type Json = Readonly<Record<string, unknown>>;
type ParameterPlace = 'path' | 'query' | 'header';

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
export const text: Json = { type: 'string' };
export const whole: Json = { type: 'integer', minimum: 0 };
export const bool: Json = { type: 'boolean' };

export function parameter(place: ParameterPlace, name: string, schema: Json, description: string): Json {
  return { name, in: place, required: place === 'path', schema, description };
}

/** One of Kafka Connect's or the registry's own whose value cannot matter here; their clients send it. */
export function indifferent(name: string, schema: Json, why: string): Json {
  return parameter('query', name, schema, `known, and without effect: ${why}`);
}

export const position = parameter(
  'query',
  'position',
  { type: 'string', enum: ['token', 'full'], default: 'token' },
  'how the header Writethrough-Position shows source positions; a whole one may be longer than a proxy takes',
);
/** Of everything that is read at one cut. */
export const cutOptions: readonly Json[] = [
  position,
  parameter('query', 'atLeast', text, 'wait until this version (`logId:seq`) is applied'),
  parameter('query', 'waitMs', { ...whole, maximum: 60_000, default: 10_000 }, 'longest wait for atLeast'),
  parameter('query', 'stale', { type: 'string', enum: ['ok'] }, 'allow tables that stand at different versions'),
];

export const freshness: Json = {
  'Writethrough-Version': {
    schema: text,
    description:
      'version of the cut that was read, `logId:seq`; of a table that stands still, the one at which it stopped',
  },
  'Writethrough-Lag-Ms': {
    schema: whole,
    description: 'how old the answer may be at most, in ms; 0 while the sources are known to have nothing newer',
  },
  'Writethrough-Stale': {
    schema: { type: 'string', enum: standings.filter((standing) => standing !== 'current') },
    description:
      'why nothing newer comes at once: how the source of the oldest rows stands, or `detached` for a table that stands still itself; absent while the sources are followed and less than a second behind',
  },
  'Writethrough-Position': {
    schema: text,
    description:
      'source positions contained in the answer, as `producer=token` pairs; whole ones with `?position=full`',
  },
};

export const problem: Json = {
  description: 'error',
  content: { 'application/problem+json': { schema: ref('Problem') } },
};
const ksqlError: Json = { description: 'error', content: { 'application/json': { schema: ref('KsqlError') } } };
const connectError: Json = { description: 'error', content: { 'application/json': { schema: ref('ConnectError') } } };
const registryError: Json = {
  description: 'error',
  content: { 'application/vnd.schemaregistry.v1+json': { schema: ref('ConnectError') } },
};

export function ok(schema: Json, headers?: Json, type = 'application/json'): Json {
  return { description: 'answer', ...(headers === undefined ? {} : { headers }), content: { [type]: { schema } } };
}

interface Operation {
  readonly summary: string;
  readonly tag: 'v1' | 'service' | 'ksqlDB' | 'Kafka Connect' | 'Schema Registry' | 'Kafka REST';
  readonly parameters?: readonly Json[];
  readonly body?: Json;
  readonly responses: Readonly<Record<string, Json>>;
}

export function operation({ summary, tag, parameters, body, responses }: Operation): Json {
  const error = {
    v1: problem,
    service: problem,
    ksqlDB: ksqlError,
    'Kafka Connect': connectError,
    'Schema Registry': registryError,
    'Kafka REST': connectError,
  }[tag];
  return {
    summary,
    tags: [tag],
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: { ...responses, default: error },
  };
}
