// The connector classes: which family reads, and what the class implies about the shape of keys and values when the file does not
// say it itself (Debezium's envelope, Confluent's flattened rows, or our own bare form for `--source`).
import { AppError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { PluginFamily } from './config-def.js';

export interface PluginClass {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly family: PluginFamily;
  /** Value of after.state.only when it is not set. */
  readonly afterStateOnly: boolean;
  /** Shape when neither output.shape nor after.state.only is set and the class has no Debezium heritage. */
  readonly plain: boolean;
}

export const pluginClasses: readonly PluginClass[] = [
  { name: 'MySqlCdcSource', aliases: [], family: 'mysql', afterStateOnly: true, plain: false },
  {
    name: 'MySqlCdcSourceV2',
    aliases: ['io.debezium.connector.mysql.MySqlConnector'],
    family: 'mysql',
    afterStateOnly: false,
    plain: false,
  },
  {
    name: 'MariaDbCdcSource',
    aliases: ['io.debezium.connector.mariadb.MariaDbConnector'],
    family: 'mysql',
    afterStateOnly: false,
    plain: false,
  },
  { name: 'SqliteCdcSource', aliases: [], family: 'sqlite', afterStateOnly: true, plain: true },
];

export function findPlugin(className: string): PluginClass {
  const found = pluginClasses.find((p) => p.name === className || p.aliases.includes(className));
  if (found) return found;
  const names = pluginClasses.flatMap((p) => [p.name, ...p.aliases]);
  const nearest = nearestName(className, names);
  throw new AppError('bad-connector-config', `unknown connector.class "${className}"`, {
    hint: nearest ? `did you mean "${nearest}"?` : `known: ${names.join(', ')}`,
    place: { path: 'connector.class' },
  });
}
