// The connector classes: which family reads, and what the class implies about the shape of keys and values when the file does not
// say it itself (Debezium's envelope, Confluent's flattened rows, or our own bare form for `--source`). Classes that exist elsewhere
// and not here are refused with the way to the same rows.
import { AppError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { PluginFamily } from './config-def.js';

export interface PluginClass {
  readonly name: string;
  /** As Kafka Connect shortens class names. */
  readonly aliases: readonly string[];
  readonly family: PluginFamily;
  /** Value of after.state.only when it is not set. */
  readonly afterStateOnly: boolean;
  /** Shape when neither output.shape nor after.state.only is set and the class has no Debezium heritage. */
  readonly plain: boolean;
  /** Value of time.precision.mode when it is not set. */
  readonly times: 'adaptive' | 'adaptive_time_microseconds';
  /** TIMESTAMP is text in UTC, as Debezium has it. */
  readonly zoned: boolean;
  /** Value of include.schema.changes when it is not set and values are envelopes. Of Debezium's own classes alone: the managed ones have no such topic. */
  readonly schemaChanges?: true;
}

type Records = Pick<PluginClass, 'afterStateOnly' | 'plain' | 'times' | 'zoned'>;
const asDebezium: Records = { afterStateOnly: false, plain: false, times: 'adaptive_time_microseconds', zoned: true };
const asOurs: Records = { afterStateOnly: true, plain: true, times: 'adaptive', zoned: false };

export const pluginClasses: readonly PluginClass[] = [
  {
    name: 'MySqlCdcSource',
    aliases: [],
    family: 'mysql',
    afterStateOnly: true,
    plain: false,
    times: 'adaptive',
    zoned: false,
  },
  {
    name: 'MySqlCdcSourceV2',
    aliases: [],
    family: 'mysql',
    ...asDebezium,
  },
  {
    name: 'MariaDbCdcSource',
    aliases: [],
    family: 'mysql',
    ...asDebezium,
  },
  {
    name: 'io.debezium.connector.mysql.MySqlConnector',
    aliases: ['MySqlConnector', 'MySql'],
    family: 'mysql',
    ...asDebezium,
    schemaChanges: true,
  },
  {
    name: 'io.debezium.connector.mariadb.MariaDbConnector',
    aliases: ['MariaDbConnector', 'MariaDb'],
    family: 'mysql',
    ...asDebezium,
    schemaChanges: true,
  },
  {
    name: 'SqliteCdcSource',
    aliases: [],
    family: 'sqlite',
    ...asOurs,
  },
  {
    name: 'io.confluent.connect.jdbc.JdbcSourceConnector',
    aliases: ['JdbcSourceConnector', 'JdbcSource'],
    family: 'polling',
    ...asOurs,
  },
  {
    name: 'MySqlSource',
    aliases: ['MariaDbSource'],
    family: 'polling',
    ...asOurs,
  },
];

export function findPlugin(className: string): PluginClass {
  const found = pluginClasses.find((p) => p.name === className || p.aliases.includes(className));
  if (found) return found;
  throw refusal(className);
}

function refusal(className: string): AppError {
  const refused = (message: string, hint: string) =>
    new AppError('bad-connector-config', message, { hint, place: { path: 'connector.class' } });
  const named = `connector.class "${className}"`;
  if (/sink/i.test(className)) {
    return refused(
      `${named} writes to another system; connectors here are sources`,
      'read the tables over HTTP, or their topics on Kafka',
    );
  }
  if (/postgres|sqlserver|oracle|mongo|db2|cassandra|vitess|spanner|informix|dynamo/i.test(className))
    return refused(`${named} reads a database that is not covered`, 'covered are MySQL, MariaDB and SQLite');
  const nearest = nearestName(
    className,
    pluginClasses.flatMap((p) => [p.name, ...p.aliases]),
  );
  return refused(
    `unknown ${named}`,
    nearest ? `did you mean "${nearest}"?` : `known: ${pluginClasses.map((p) => p.name).join(', ')}`,
  );
}
