// What Kafka Connect itself knows of every source connector, and what its managed services add.
import { retryDefaults, retryProperties } from '../../core/retries.js';
import { family, group, long, truth, whole, type PropertyDef, type PropertyFamily } from './property.js';

const connector = group('Connector');
const failures = group('Failures');
const managed = group('Managed service');
const noSecond = 'a source here is one task, as in Debezium';
const own = 'the stream of the process has its own settings, in the URL of --stream';
const exactlyOnce = 'records and the position are one append: each change is in the log exactly once in any case';

export const frameworkProperties: readonly PropertyDef[] = [
  connector.implemented('name', 'name of the connector', { required: true }),
  connector.implemented('connector.class', 'the plug-in', { required: true }),
  connector.accepted('tasks.max', noSecond, { ...whole, min: 1, default: '1' }),
  connector.accepted('tasks.max.enforce', noSecond, truth),
  connector.accepted('connector.plugin.version', 'there is one version of each class', {}),
  connector.accepted('config.action.reload', 'references are resolved anew at each start, and none of them expires', {
    values: ['none', 'restart'],
  }),
  connector.accepted('header.converter', 'headers are text, as SimpleHeaderConverter writes it'),
  connector.accepted('exactly.once.support', exactlyOnce, { values: ['requested', 'required'] }),
  connector.accepted('transaction.boundary', 'each transaction of the source is one append', {
    values: ['poll', 'interval', 'connector'],
  }),
  connector.accepted('transaction.boundary.interval.ms', 'each transaction of the source is one append', long),
  connector.accepted('offsets.storage.topic', 'the position is stored with the records'),
  failures.refused('errors.tolerance', 'a row is never skipped in silence', ['none'], { values: ['none', 'all'] }),
  failures.accepted('errors.retry.timeout', 'errors.max.retries bounds how often a lost source is tried again', long),
  failures.implemented(
    retryProperties.maxRetries,
    'how often a lost source, or a task whose failure may pass, is tried again before the connector is FAILED; -1: without end',
    { ...whole, min: -1, default: retryDefaults.maxRetries },
  ),
  failures.implemented(retryProperties.initial, 'the first pause between tries; each is twice the one before', {
    ...long,
    min: 1,
    default: retryDefaults.initialMs,
  }),
  failures.implemented(retryProperties.max, 'the longest pause between tries (of a locked SQLite file at most 2 s)', {
    ...long,
    min: 1,
    default: retryDefaults.maxMs,
  }),
  failures.accepted('errors.log.enable', 'errors are always logged, and shown in the status', truth),
  failures.accepted('errors.log.include.messages', 'an error names the row that it concerns', truth),
  failures.accepted(
    'retriable.restart.connector.wait.ms',
    'errors.retry.delay.max.ms bounds the pause between tries',
    long,
  ),
  failures.accepted(
    'auto.restart.on.user.error',
    'what may pass is tried again; a refused password, once its file has another; the rest waits for you',
    truth,
  ),
  managed.accepted('kafka.auth.mode', 'the stream of the process carries its own credentials'),
  managed.accepted('kafka.api.key', 'the stream of the process carries its own credentials'),
  managed.accepted('kafka.api.secret', 'the stream of the process carries its own credentials', { type: 'PASSWORD' }),
  managed.accepted('kafka.service.account.id', 'the stream of the process carries its own credentials'),
  managed.accepted('kafka.endpoint', 'the stream of the process has its own address'),
  managed.accepted('kafka.region', 'the stream of the process has its own address'),
  managed.accepted('sr.service.account.id', 'the registry is that of the process'),
  managed.refused('authentication.method', 'only user and password log in', ['password'], {
    way: 'use database.user and database.password',
  }),
  managed.refused('schema.context.name', 'the registry has no contexts', ['default', '']),
  managed.refused('key.subject.name.strategy', 'subjects are named after their topic', ['TopicNameStrategy']),
  managed.refused('value.subject.name.strategy', 'subjects are named after their topic', ['TopicNameStrategy']),
  managed.refused('subject.name.strategy', 'subjects are named after their topic', [
    'TopicNameStrategy',
    'io.confluent.kafka.serializers.subject.TopicNameStrategy',
  ]),
  managed.accepted('producer.override.linger.ms', own, long),
  managed.accepted('producer.override.compression.type', own),
  managed.accepted('producer.override.batch.size', own, whole),
];

export const frameworkFamilies: readonly PropertyFamily[] = [
  family('header.converter.*', 'accepted', 'headers are text, as SimpleHeaderConverter writes it'),
  family('errors.deadletterqueue.*', 'accepted', 'dead-letter topics are for sinks'),
  family('producer.override.*', 'refused', own),
  family('consumer.override.*', 'refused', own),
  family('admin.override.*', 'refused', own),
  family('csfle.*', 'refused', 'fields are not encrypted', {
    way: 'leave the columns out by column.exclude.list, or mask them by the transform MaskField',
  }),
  family('secret.manager*', 'refused', 'secrets are named by ${env:NAME} or ${file:PATH}'),
  family('provider.integration.*', 'refused', 'only user and password log in'),
];
