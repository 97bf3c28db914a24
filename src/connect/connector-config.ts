// From a flat map of text properties to the settings that run a connector, or one error that holds all problems.
import { AppError } from '../core/errors.js';
import type { TopicForm } from '../core/topic-name.js';
import type { SourceConfig, SourceFinding } from '../source/source-connector.js';
import { columnRules } from './column-rules.js';
import { inspectConfig, type Inspection } from './config-inspection.js';
import type { ConnectorConfig } from './connect-facade.js';
import type { PluginClass } from './plugins.js';
import { formatsOf } from './converters.js';
import type { OutputSettings } from './output-settings.js';
import { schemaChangesOf } from './default-schema-changes.js';
import { debeziumName, outputShape } from './output-shape.js';
import { sideTopics } from './side-topics.js';
import { sourceSettings } from './source-settings.js';
import { typeModes } from './type-modes.js';
import { readTransforms } from './transforms/read-transforms.js';
import { topicCreation } from './topic-creation.js';

export interface CheckedConfig {
  readonly plugin: PluginClass;
  readonly source: SourceConfig;
  readonly output: OutputSettings;
  readonly notes: readonly SourceFinding[];
}

/** Throws bad-connector-config with every problem in `detail`. */
export function checkConfig(name: string, config: ConnectorConfig): CheckedConfig {
  return checkInspected(name, inspectConfig(name, config));
}

export function checkInspected(name: string, { plugin, values, findings }: Inspection): CheckedConfig {
  const errors = findings.filter((f) => f.severity === 'error');
  if (errors.length > 0) throw configError(name, errors);
  return {
    plugin,
    source: sourceSettings(name, values),
    output: outputSettings(name, plugin, values),
    notes: findings,
  };
}

/** One error out of the findings that keep a connector from starting: each problem stands beside its repair. */
export function configError(name: string, errors: readonly SourceFinding[]): AppError {
  const first = errors[0]!;
  const place = { path: first.property };
  if (errors.length === 1) {
    const { message, hint, property } = first;
    const told = property === undefined || message.includes(property);
    const detail = told ? undefined : lineOf({ ...first, hint: undefined });
    return new AppError('bad-connector-config', message, { detail, hint, place });
  }
  return new AppError('bad-connector-config', `connector ${name}: ${errors.length} problems`, {
    detail: errors.map(lineOf).join('\n'),
    place,
  });
}

function lineOf(finding: SourceFinding): string {
  const text = textOf(finding);
  return finding.property === undefined ? text : `${finding.property || '""'}: ${text}`;
}

/** The problem and its repair. */
export function textOf({ message, hint }: SourceFinding): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

function outputSettings(name: string, plugin: PluginClass, values: ReadonlyMap<string, string>): OutputSettings {
  const formats = formatsOf(values);
  const shape = outputShape(plugin, values);
  const types = typeModes(plugin, values);
  const { key, value } = formats.schemas;
  const schemaChanges = schemaChangesOf(plugin, values);
  const topicPrefix = values.get('topic.prefix') ?? name;
  return {
    topicPrefix,
    topicForm: topicFormOf(plugin, values),
    side: sideTopics(topicPrefix, values, {
      unwanted: readTransforms(values).unwanted,
      schemaChanges:
        schemaChanges === 'none' ? undefined : { connector: debeziumName(plugin), asked: schemaChanges === 'asked' },
    }),
    valueFormat: formats.value,
    keyFormat: formats.key,
    keyShape: (values.get('output.key.shape') ?? (plugin.plain && formats.key !== 'PROTOBUF' ? 'bare' : 'object')) as
      'bare' | 'object',
    ...shape,
    ...(key !== false || value !== false
      ? { schemas: { key, value, times: types.time === 'connect' ? 'connect' : 'debezium' } }
      : {}),
    types,
    columnRules: columnRules(values),
    ...topicCreation(values),
  };
}

function topicFormOf({ family }: PluginClass, values: ReadonlyMap<string, string>): TopicForm {
  if (family !== 'polling') return 'dotted';
  return values.get('query') ? 'prefix' : 'joined';
}
