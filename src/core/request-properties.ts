// Properties that come with a statement: `streamsProperties`, `properties` and SET. Those of ksqlDB, Kafka Streams and their clients that are
// about how a cluster runs are known by name and mean nothing here; what would change an answer and is not there is refused, and so is a
// name that nobody knows. In SQL and in requests the rule is this one.
import { AppError } from './errors.js';
import { didYouMean } from './nearest-name.js';

export const offsetReset = 'auto.offset.reset';
export const throwOnInvalidTimestamp = 'ksql.timestamp.throw.on.invalid';
/** Deletes appear on /query-stream and in the delimited form, where ksqlDB drops them. */
export const tombstonesProperty = 'writethrough.query.tombstones';

const flags = ['true', 'false'];

/** What a property may say; undefined: anything, since nothing here depends on it. */
const values: Readonly<Record<string, readonly string[] | undefined>> = {
  [offsetReset]: ['earliest', 'latest'],
  [throwOnInvalidTimestamp]: flags,
  [tombstonesProperty]: flags,
  // They would change what comes of a statement: only what is so anyway.
  'ksql.persistence.default.format.key': ['JSON', 'KAFKA'],
  'ksql.persistence.default.format.value': ['JSON'],
  'ksql.persistence.wrap.single.values': ['true'],
  'ksql.output.topic.name.prefix': [''],
  'ksql.functions.substring.legacy.args': ['false'],
  'ksql.streams.default.timestamp.extractor': [],
  'default.timestamp.extractor': [],
  'ksql.query.pull.stream.enabled': undefined,
  'ksql.query.pull.table.scan.enabled': undefined,
  'ksql.query.pull.range.scan.enabled': undefined,
  'ksql.query.pull.limit.clause.enabled': undefined,
  'ksql.query.pull.interpreter.enabled': undefined,
  'ksql.query.pull.metrics.enabled': undefined,
  'ksql.query.pull.max.allowed.offset.lag': undefined,
  'ksql.query.pull.max.qps': undefined,
  'ksql.query.pull.max.concurrent.requests': undefined,
  'ksql.query.pull.enable.standby.reads': undefined,
  'ksql.query.pull.consistency.token.enabled': undefined,
  'ksql.query.push.v2.enabled': undefined,
  'ksql.query.push.v2.registry.installed': undefined,
  'ksql.query.push.v2.continuation.tokens.enabled': undefined,
  'ksql.query.error.max.queue.size': undefined,
  'ksql.query.retry.backoff.initial.ms': undefined,
  'ksql.query.retry.backoff.max.ms': undefined,
  'ksql.query.persistent.max.bytes.buffering.total': undefined,
  'ksql.query.transient.max.bytes.buffering.total': undefined,
  'ksql.new.query.planner.enabled': undefined,
  'ksql.fail.on.deserialization.error': undefined,
  'ksql.fail.on.production.error': undefined,
  'ksql.functions.collect_list.limit': undefined,
  'ksql.functions.collect_set.limit': undefined,
  'ksql.schema.registry.url': undefined,
  'ksql.service.id': undefined,
  'ksql.sink.partitions': undefined,
  'ksql.sink.replicas': undefined,
  'ksql.internal.topic.replicas': undefined,
  'ksql.insert.into.values.enabled': undefined,
  'ksql.variable.substitution.enable': undefined,
  'ksql.suppress.enabled': undefined,
  'ksql.suppress.buffer.size.bytes': undefined,
  'ksql.runtime.feature.shared.enabled': undefined,
  'ksql.headers.columns.enabled': undefined,
  'ksql.idle.connection.timeout.seconds': undefined,
};

/** Settings of Kafka Streams and of the clients in it: there are none here. Each may have a prefix that says of which. */
const streams: ReadonlySet<string> = new Set(
  `acceptable.recovery.lag acks allow.auto.create.topics application.id application.server auto.commit.interval.ms batch.size
bootstrap.servers buffer.memory buffered.records.per.partition built.in.metrics.version cache.max.bytes.buffering check.crcs client.dns.lookup
client.id client.rack commit.interval.ms compression.type connections.max.idle.ms default.api.timeout.ms default.deserialization.exception.handler
default.dsl.store default.production.exception.handler delivery.timeout.ms deserialization.exception.handler dsl.store.suppliers.class
enable.auto.commit enable.idempotence enable.metrics.push exclude.internal.topics fetch.max.bytes fetch.max.wait.ms fetch.min.bytes
group.id group.instance.id group.protocol heartbeat.interval.ms interceptor.classes isolation.level linger.ms max.block.ms
max.in.flight.requests.per.connection max.partition.fetch.bytes max.poll.interval.ms max.poll.records max.request.size max.task.idle.ms
max.warmup.replicas message.timestamp.type metadata.max.age.ms metric.reporters metrics.num.samples metrics.recording.level
metrics.sample.window.ms num.standby.replicas num.stream.threads partition.assignment.strategy partitioner.class poll.ms
probing.rebalance.interval.ms processing.guarantee production.exception.handler rack.aware.assignment.strategy receive.buffer.bytes
reconnect.backoff.max.ms reconnect.backoff.ms repartition.purge.interval.ms replication.factor request.timeout.ms retries
retry.backoff.max.ms retry.backoff.ms rocksdb.config.setter security.protocol send.buffer.bytes session.timeout.ms state.cleanup.delay.ms
state.dir statestore.cache.max.bytes task.assignor.class task.timeout.ms topology.optimization transaction.timeout.ms upgrade.from
window.size.ms windowed.inner.class.serde windowstore.changelog.additional.retention.ms
__emit.interval.ms.kstreams.windowed.aggregation__`.split(/\s+/),
);
const streamsPrefix = /^(?:ksql\.streams\.)?(?:(?:main|restore|global)\.)?(?:(?:consumer|producer|admin)\.)?/;

/** Those that have an effect, or could: for hints. */
export const requestProperties: readonly string[] = Object.keys(values);

/** The name under which its value is looked up. Throws bad-request. */
export function requestPropertyName(name: string): string {
  if (Object.hasOwn(values, name)) return name;
  const bare = name.replace(/^ksql\.streams\.(?:consumer\.)?|^consumer\./, '');
  if (bare === offsetReset) return bare;
  if (streams.has(name.replace(streamsPrefix, ''))) return name;
  throw new AppError('bad-request', `not recognizable as a property: ${name.slice(0, 200)}`, {
    hint: didYouMean(name, [...requestProperties, ...streams]),
    place: { path: name.slice(0, 200) },
  });
}

/** Name and value as they are used. Throws bad-request. */
export function readRequestProperty(name: string, value: unknown): readonly [string, unknown] {
  const known = requestPropertyName(name);
  const allowed = Object.hasOwn(values, known) ? values[known] : undefined;
  if (allowed === undefined) return [known, value];
  const found = allowed.find((each) => each.toLowerCase() === String(value as string).toLowerCase());
  if (found !== undefined) return [known, found];
  const wanted = allowed.map((each) => `"${each}"`).join(' or ');
  throw new AppError('bad-request', `the property ${name} cannot be "${String(value as string).slice(0, 100)}" here`, {
    hint: wanted === '' ? 'leave it out' : `it can be ${wanted}`,
    place: { path: name },
  });
}

/** Of a request; one that is null is as if it were not there. */
export function readRequestProperties(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => readRequestProperty(name, value)),
  );
}
