// The part of Confluent's REST API for Kafka (v3) that is here: settings of topics.
import { type Json, ok, operation, parameter, ref, text } from './openapi-build.js';

const cluster = parameter(
  'path',
  'cluster',
  text,
  'id of the log, as /v3/clusters and `kafkaClusterId` of /info give it',
);
const topic = parameter('path', 'topic', text, 'name of the topic');
const setting = parameter(
  'path',
  'setting',
  text,
  'retention.ms or retention.bytes (Kafka: of each partition, embedded log: of the topic), -1 without limit; cleanup.policy can be read',
);
const done = { description: 'it has effect' };
const tag = 'Kafka REST';

export const kafkaPaths: Json = {
  '/v3/clusters': {
    get: operation({ summary: 'the log as a cluster', tag, responses: { 200: ok({ type: 'object' }) } }),
  },
  '/v3/clusters/{cluster}/topics/{topic}/configs': {
    get: operation({
      summary: 'settings of a topic',
      tag,
      parameters: [cluster, topic],
      responses: { 200: ok(ref('TopicConfigs')) },
    }),
  },
  '/v3/clusters/{cluster}/topics/{topic}/configs/{setting}': {
    get: operation({
      summary: 'one setting of a topic',
      tag,
      parameters: [cluster, topic, setting],
      responses: { 200: ok(ref('TopicConfig')) },
    }),
    put: operation({
      summary: 'set it',
      tag,
      parameters: [cluster, topic, setting],
      body: { type: 'object', properties: { value: text }, required: ['value'] },
      responses: { 204: done },
    }),
    delete: operation({
      summary: 'give it the value that the process gives to new topics (topic.retention.ms, topic.retention.bytes)',
      tag,
      parameters: [cluster, topic, setting],
      responses: { 204: done },
    }),
  },
  '/v3/clusters/{cluster}/topics/{topic}/configs:alter': {
    post: operation({
      summary: 'several settings at once: all of them or none',
      tag,
      parameters: [cluster, topic],
      body: {
        type: 'object',
        properties: {
          data: {
            type: 'array',
            items: {
              type: 'object',
              properties: { name: text, operation: { type: 'string', enum: ['SET', 'DELETE'] }, value: text },
              required: ['name'],
            },
          },
        },
        required: ['data'],
      },
      responses: { 204: done },
    }),
  },
};
