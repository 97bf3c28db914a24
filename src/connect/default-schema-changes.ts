// Whether there is a topic of schema changes: where it is asked for; and where nothing is said with the classes of Debezium, which have it,
// as long as the stream is one of Debezium's. Who flattens the rows, or comes from a managed connector, has asked for rows alone.
import type { SourceFinding } from '../source/source-connector.js';
import { outputShape } from './output-shape.js';
import type { PluginClass } from './plugins.js';

const property = 'include.schema.changes';

/** `by-class`: nobody has asked for it. */
export function schemaChangesOf(
  plugin: PluginClass,
  values: ReadonlyMap<string, string>,
): 'asked' | 'by-class' | 'none' {
  const said = values.get(property);
  if (said !== undefined) return said === 'true' ? 'asked' : 'none';
  return plugin.schemaChanges === true && outputShape(plugin, values).shape === 'envelope' ? 'by-class' : 'none';
}

export function noteSchemaChanges(plugin: PluginClass, values: ReadonlyMap<string, string>): readonly SourceFinding[] {
  if (schemaChangesOf(plugin, values) !== 'by-class') return [];
  const topic = values.get('topic.prefix') ?? values.get('name') ?? '';
  const message = `statements that change tables are written to topic ${topic}, as this class has it by default; "false" leaves them out`;
  return [{ severity: 'note', code: 'schema-changes', property, message }];
}
