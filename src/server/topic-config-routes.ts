// Settings of topics by the paths of Confluent's REST API for Kafka (v3): the part of it that lists and alters them. Who uses that API,
// or a client made from its description, finds the same names, bodies and statuses here. The cluster is the log, its id what /info
// gives as `kafkaClusterId`.
import { AppError } from '../core/errors.js';
import { knownMembers, readBodyObject } from './body.js';
import { type Exchange, jsonType } from './exchange.js';
import { decodeSegment } from './query-string.js';
import type { ServerContext } from './server-context.js';
import type { TopicSetting } from './topics-facade.js';

const clustersPath = '/v3/clusters';
const alterSuffix = 'configs:alter';

interface Target {
  readonly topic: string;
  /** Of one setting; undefined: all. */
  readonly setting: string | undefined;
  readonly alter: boolean;
}

export function listClusters(context: ServerContext, exchange: Exchange): void {
  exchange.route = 'topic-configs';
  const { logId } = context.facades.status.identity;
  const self = `${clustersPath}/${encodeURIComponent(logId)}`;
  respond(
    exchange,
    list('KafkaClusterList', clustersPath, [{ kind: 'KafkaCluster', metadata: { self }, cluster_id: logId }]),
  );
}

export async function readConfigs(context: ServerContext, exchange: Exchange, rest: string): Promise<void> {
  const { topic, setting, alter } = target(context, exchange, rest);
  if (alter) throw notThere(exchange);
  const settings = await context.facades.topics.settings(topic);
  const { logId } = context.facades.status.identity;
  const path = `${clustersPath}/${encodeURIComponent(logId)}/topics/${encodeURIComponent(topic)}/configs`;
  const shown = (one: TopicSetting) => ({
    kind: 'KafkaTopicConfig',
    metadata: { self: `${path}/${one.name}` },
    cluster_id: logId,
    topic_name: topic,
    name: one.name,
    value: one.value,
    is_default: one.isDefault,
    is_read_only: one.isReadOnly,
    is_sensitive: false,
    source: one.isDefault ? 'DEFAULT_CONFIG' : 'DYNAMIC_TOPIC_CONFIG',
    synonyms: [],
  });
  if (setting === undefined) return respond(exchange, list('KafkaTopicConfigList', path, settings.map(shown)));
  const found = settings.find(({ name }) => name === setting);
  if (!found) {
    throw new AppError('bad-topic-setting', `topic "${topic}" has no setting ${setting} here`, {
      hint: `it has ${settings.map(({ name }) => name).join(', ')}`,
      place: { path: setting },
    });
  }
  respond(exchange, shown(found));
}

/** PUT {"value": "..."} */
export async function putConfig(context: ServerContext, exchange: Exchange, rest: string): Promise<void> {
  const { topic, setting } = target(context, exchange, rest);
  if (setting === undefined) throw notThere(exchange);
  const body = await readBodyObject(exchange, context.options.bodyBytesMax);
  knownMembers(body, ['value']);
  const { value } = body;
  await context.facades.topics.alter(topic, { [setting]: textOf(value, 'value') });
  exchange.respond(204, [], '');
}

export async function resetConfig(context: ServerContext, exchange: Exchange, rest: string): Promise<void> {
  const { topic, setting } = target(context, exchange, rest);
  if (setting === undefined) throw notThere(exchange);
  await context.facades.topics.alter(topic, { [setting]: null });
  exchange.respond(204, [], '');
}

/** POST .../configs:alter {"data": [{"name", "operation": "SET" | "DELETE", "value"}]}: all of them or none. */
export async function alterConfigs(context: ServerContext, exchange: Exchange, rest: string): Promise<void> {
  const { topic, alter } = target(context, exchange, rest);
  if (!alter) throw notThere(exchange);
  const body = await readBodyObject(exchange, context.options.bodyBytesMax);
  knownMembers(body, ['data', 'validate_only']);
  const { data, validate_only: validateOnly } = body;
  if (validateOnly === true) throw new AppError('bad-request', '"validate_only" is not supported');
  if (!Array.isArray(data)) throw new AppError('bad-request', '"data" must be a list of settings');
  const changes = new Map<string, string | null>();
  for (const item of data as readonly unknown[]) {
    const { name, operation = 'SET', value } = (item ?? {}) as Record<string, unknown>;
    knownMembers(item ?? {}, ['name', 'operation', 'value'], 'a setting');
    const key = textOf(name, 'name');
    if (operation !== 'SET' && operation !== 'DELETE')
      throw new AppError('bad-request', `"operation" of ${key} must be SET or DELETE`);
    if (changes.has(key)) throw new AppError('bad-request', `${key} is there twice`);
    changes.set(key, operation === 'DELETE' ? null : textOf(value, `value of ${key}`));
  }
  await context.facades.topics.alter(topic, Object.fromEntries(changes));
  exchange.respond(204, [], '');
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new AppError('bad-request', `"${what}" must be a text`, {
    hint: typeof value === 'number' ? `write "${value}"` : undefined,
  });
}

/** `{cluster}/topics/{topic}/configs[/{setting}]` or `.../configs:alter`. */
function target(context: ServerContext, exchange: Exchange, rest: string): Target {
  exchange.route = 'topic-configs';
  const parts = rest.split('/');
  const [cluster, topics, topic, configs, setting] = parts;
  const alter = configs === alterSuffix;
  if (parts.length > 5 || topics !== 'topics' || !topic || (configs !== 'configs' && !alter) || (alter && setting))
    throw notThere(exchange);
  const { logId } = context.facades.status.identity;
  if (decodeSegment(cluster!) !== logId) {
    throw new AppError('unknown-topic', `there is no cluster ${decodeSegment(cluster!)}, and no topic of it`, {
      hint: `this one is ${logId}; GET ${clustersPath} tells it`,
    });
  }
  return { topic: decodeSegment(topic), setting: setting === undefined ? undefined : decodeSegment(setting), alter };
}

function list(kind: string, self: string, data: readonly unknown[]): unknown {
  return { kind, metadata: { self, next: null }, data };
}

function respond(exchange: Exchange, body: unknown): void {
  exchange.respond(200, ['Content-Type', jsonType, 'Cache-Control', 'no-store'], JSON.stringify(body));
}

function notThere({ path, method }: Exchange): AppError {
  return new AppError('unknown-route', `there is no ${method} ${path.slice(0, 200)}`, {
    hint: 'GET /openapi.json lists the paths',
  });
}
