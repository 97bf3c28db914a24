// Every connector property that Kafka Connect, Debezium's connectors for MySQL and MariaDB, Confluent's managed ones and its JDBC source, and our own for SQLite
// know, in one table (the files of `properties/`): what it is here, its default and its aliases. Validation, the answers of
// .../config and .../config/validate and docs/connector-properties.md come from it.
import { columnRuleDefs } from './column-rules.js';
import { converterProperties } from './properties/converters.js';
import { frameworkFamilies, frameworkProperties } from './properties/framework.js';
import { mysqlRowFamilies, mysqlRowProperties } from './properties/mysql-rows.js';
import { mysqlSourceFamilies, mysqlSourceProperties, readingProperties } from './properties/mysql-source.js';
import { filterProperties, outputProperties } from './properties/output.js';
import type { PropertyDef, PropertyFamily } from './properties/property.js';
import { pollingProperties } from './properties/polling-source.js';
import { scheduleProperties } from './properties/schedules.js';
import { sqliteProperties } from './properties/sqlite-source.js';
import { transformDefs, transformLists } from './transforms/read-transforms.js';
import { topicGroupDefs } from './properties/topic-groups.js';

export type PluginFamily = 'mysql' | 'sqlite' | 'polling';

const common = [
  ...frameworkProperties,
  ...converterProperties,
  ...transformLists,
  ...outputProperties,
  ...filterProperties,
  ...readingProperties,
];
export const propertyDefs: Readonly<Record<PluginFamily, readonly PropertyDef[]>> = {
  mysql: [...common, ...scheduleProperties, ...mysqlSourceProperties, ...mysqlRowProperties],
  sqlite: [...common, ...scheduleProperties, ...sqliteProperties],
  polling: [...common, ...pollingProperties],
};

export const propertyFamilies: Readonly<Record<PluginFamily, readonly PropertyFamily[]>> = {
  mysql: [...frameworkFamilies, ...mysqlSourceFamilies, ...mysqlRowFamilies],
  sqlite: frameworkFamilies,
  polling: frameworkFamilies,
};

/** All properties of a connector: what it names (groups of topics, transforms, predicates) has properties of its own. */
export function propertiesOf(family: PluginFamily, config: Readonly<Record<string, unknown>>): readonly PropertyDef[] {
  const masks = family === 'mysql' ? columnRuleDefs(config) : [];
  return [...propertyDefs[family], ...topicGroupDefs(config), ...transformDefs(config), ...masks];
}
