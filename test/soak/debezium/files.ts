// Connector files as Debezium's users have them, which a Connect worker with Debezium takes as they stand.
import type { SqlAddress } from '../../support/servers/sql-client.js';

export interface File {
  readonly name: string;
  readonly topics: readonly string[];
  /** As many records as a snapshot has, at least, by topic. */
  readonly first: readonly number[];
  readonly config: Readonly<Record<string, string>>;
}

const json = 'org.apache.kafka.connect.json.JsonConverter';
const bare = {
  'key.converter': json,
  'key.converter.schemas.enable': 'false',
  'value.converter': json,
  'value.converter.schemas.enable': 'false',
};
const unwrap = { transforms: 'unwrap', 'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState' };
const exact = { 'decimal.handling.mode': 'string' };

const outbox = {
  ...bare,
  transforms: 'outbox',
  'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
};

const files: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  envelope: { ...bare, ...exact },
  decimals: { ...bare },
  schemas: { ...exact, 'key.converter': json, 'value.converter': json },
  transactions: { ...bare, ...exact, 'provide.transaction.metadata': 'true', 'tombstones.on.delete': 'false' },
  flat: { ...bare, ...exact, ...unwrap },
  rewritten: {
    ...bare,
    ...unwrap,
    'decimal.handling.mode': 'double',
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
    'transforms.unwrap.add.fields': 'op,table,source.ts_ms',
  },
  headed: {
    ...bare,
    ...exact,
    ...unwrap,
    'transforms.unwrap.add.headers': 'op,table,source.ts_ms,source.db:base,source.thread',
  },
  stamped: {
    ...bare,
    ...exact,
    transforms: 'stamp',
    'transforms.stamp.type': 'org.apache.kafka.connect.transforms.InsertHeader',
    'transforms.stamp.header': 'from',
    'transforms.stamp.value.literal': 'the shop',
  },
  routed: {
    ...bare,
    ...exact,
    transforms: 'unwrap,route',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.unwrap.delete.tombstone.handling.mode': 'tombstone',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': '([^.]+)\\.([^.]+)\\.([^.]+)',
    'transforms.route.replacement': '$1-$3',
  },
  masked: {
    ...bare,
    ...exact,
    'column.mask.with.5.chars': '.*\\.people\\.name',
    'column.truncate.to.3.chars': '.*\\.people\\.notes',
    'column.exclude.list': '.*\\.people\\.(picture|doc)',
    'skipped.operations': 'none',
  },
  changed: {
    ...bare,
    ...exact,
    transforms: 'unwrap,drop,mark',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.drop.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
    'transforms.drop.exclude': 'picture,doc',
    'transforms.drop.renames': 'name:full_name',
    'transforms.mark.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
    'transforms.mark.static.field': 'origin',
    'transforms.mark.static.value': 'shop',
  },
  connect: {
    ...bare,
    ...exact,
    'time.precision.mode': 'connect',
    'bigint.unsigned.handling.mode': 'long',
    'binary.handling.mode': 'hex',
  },
  keyed: { ...bare, ...exact, 'message.key.columns': '(.*).orders:price,line,id;(.*).people:id' },
  cast: {
    ...bare,
    ...exact,
    transforms: 'unwrap,cast',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.cast.type': 'org.apache.kafka.connect.transforms.Cast$Value',
    'transforms.cast.spec': 'ratio:string,flag:boolean,big:string,made:string,bit1:int8',
    'transforms.cast.predicate': 'people',
    predicates: 'people',
    'predicates.people.type': 'org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
    'predicates.people.pattern': '.*people',
  },
  events: {
    ...outbox,
    'transforms.outbox.route.topic.replacement': 'events.${routedByValue}',
    'transforms.outbox.table.expand.json.payload': 'true',
    'transforms.outbox.table.fields.additional.placement':
      'type:envelope:eventType,id:envelope,type:header:eventType,aggregateid:header',
  },
  payloads: {
    ...outbox,
    'transforms.outbox.route.topic.replacement': 'payloads.${routedByValue}',
    'transforms.outbox.route.tombstone.on.empty.payload': 'true',
    'transforms.outbox.table.field.event.id': 'aggregateid',
  },
};

/** Files whose topics are others than those of the two tables: of the last one the end is waited for. */
const otherTopics: Readonly<Record<string, readonly string[]>> = {
  routed: ['routed-people', 'routed-orders'],
  events: ['events.stock', 'events.order'],
  payloads: ['payloads.stock', 'payloads.order'],
};

/** `database`: the one that is captured, by a user who may. Each file has a prefix of its own, its name. */
export function connectorFiles(server: SqlAddress, database: string, brokers: readonly string[]): readonly File[] {
  const isMysql = server.product === 'mysql';
  return Object.entries(files).map(([name, own], i) => ({
    name,
    topics: otherTopics[name] ?? [`${name}.${database}.people`, `${name}.${database}.orders`],
    first: 'transforms.outbox.type' in own ? [1, 2] : [2, 3],
    config: {
      'connector.class': isMysql
        ? 'io.debezium.connector.mysql.MySqlConnector'
        : 'io.debezium.connector.mariadb.MariaDbConnector',
      'tasks.max': '1',
      'database.hostname': server.host,
      'database.port': String(server.port),
      'database.user': server.user,
      'database.password': server.password,
      'database.server.id': String(71_000 + i),
      'topic.prefix': name,
      'database.include.list': database,
      'table.include.list': 'transforms.outbox.type' in own ? `${database}.outbox` : `${database}.(people|orders)`,
      'schema.history.internal.kafka.bootstrap.servers': brokers.join(','),
      'schema.history.internal.kafka.topic': `history-${name}`,
      'include.schema.changes': 'false',
      ...own,
    },
  }));
}
