// From a flat map of text properties, in whatever generation's spelling, to the settings that run a connector: aliases resolved,
// defaults set, every problem found at once.
import { AppError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { SourceConfig, SourceFinding } from '../source/source-connector.js';
import { acceptedPrefixes, propertiesOf, type PropertyDef } from './config-def.js';
import type { ConnectorConfig } from './connect-facade.js';
import { isSecret } from './connector-secrets.js';
import { findPlugin, type PluginClass } from './plugins.js';
import { checkTopicCreation, topicCreation, topicPrefix, type NewTopic, type TopicGroup } from './topic-creation.js';

/** How the records of a connector look. */
export interface OutputSettings extends NewTopic {
  readonly topicPrefix: string;
  readonly valueFormat: 'JSON' | 'AVRO';
  readonly keyFormat: 'JSON' | 'AVRO';
  readonly keyShape: 'bare' | 'object';
  readonly shape: 'flat' | 'flat-with-deleted';
  readonly topicGroups?: readonly TopicGroup[] | undefined;
}

export interface CheckedConfig {
  readonly plugin: PluginClass;
  readonly source: SourceConfig;
  readonly output: OutputSettings;
  readonly notes: readonly SourceFinding[];
}

/** Throws bad-connector-config with every problem in `detail`. */
export function checkConfig(name: string, config: ConnectorConfig): CheckedConfig {
  const { plugin, values, findings } = inspectConfig(name, config);
  const errors = findings.filter((f) => f.severity === 'error');
  if (errors.length > 0) throw configError(name, errors);
  return {
    plugin,
    source: Object.fromEntries(values),
    output: outputSettings(name, plugin, values),
    notes: findings,
  };
}

/** One error out of the findings that keep a connector from starting. */
export function configError(name: string, errors: readonly SourceFinding[]): AppError {
  const first = errors[0]!;
  return new AppError(
    'bad-connector-config',
    errors.length === 1 ? first.message : `connector ${name}: ${errors.length} problems`,
    {
      detail: errors.map((f) => (f.property ? `${f.property}: ${f.message}` : f.message)).join('\n'),
      // Each problem has its own repair, such as a GRANT: none of them may be held back until the next try.
      hint: [...new Set(errors.flatMap(({ hint }) => hint ?? []))].join('\n') || undefined,
      place: { path: first.property },
    },
  );
}

export function inspectConfig(name: string, config: ConnectorConfig) {
  const className = config['connector.class'];
  if (!className) {
    throw new AppError('bad-connector-config', 'connector.class is missing', { place: { path: 'connector.class' } });
  }
  const plugin = findPlugin(className);
  const defs = propertiesOf(plugin.family, config);
  const byName = new Map(
    defs.flatMap((def) => [def.name, ...(def.aliases ?? [])].map((spelling) => [spelling, def] as const)),
  );
  const findings: SourceFinding[] = [];
  const values = new Map<string, string>([['name', name]]);
  const spelledAs = new Map<string, string>();
  for (const [key, raw] of Object.entries(config)) {
    const problem = (message: string, hint?: string) =>
      findings.push({ severity: 'error', code: 'bad-connector-config', property: key, message, hint });
    if (key === '') {
      problem('a property without a name', 'write the name before the colon');
      continue;
    }
    if (typeof raw !== 'string') {
      problem(
        `the value must be a text, got ${typeof raw}`,
        isSecret(key) ? 'put it between quotes' : `write "${key}": "${String(raw)}"`,
      );
      continue;
    }
    const def = byName.get(key);
    if (!def) {
      const family = acceptedPrefixes.find(({ prefix }) => key.startsWith(prefix));
      if (family) findings.push({ severity: 'note', code: 'not-needed', property: key, message: family.doc });
      else {
        const nearest = nearestName(key, [...byName.keys()]);
        problem(`unknown property "${key}"`, nearest ? `did you mean "${nearest}"?` : hintFor(key));
      }
      continue;
    }
    const earlier = spelledAs.get(def.name);
    if (earlier !== undefined && values.get(def.name) !== raw)
      problem(`"${key}" and "${earlier}" are the same property with two values`);
    spelledAs.set(def.name, key);
    checkValue(def, key, raw, findings);
    values.set(def.name, raw);
  }
  for (const def of defs) {
    if (def.required && !values.get(def.name)) {
      findings.push({
        severity: 'error',
        code: 'bad-connector-config',
        property: def.name,
        message: `required property "${def.name}" is missing`,
      });
    }
    if (def.default !== undefined && !values.has(def.name)) values.set(def.name, def.default);
  }
  findings.push(...checkTopicCreation(values));
  if (
    !plugin.plain &&
    values.get('output.shape') === undefined &&
    (values.get('after.state.only') ?? String(plugin.afterStateOnly)) === 'false'
  ) {
    findings.push({
      severity: 'error',
      code: 'bad-connector-config',
      property: 'after.state.only',
      message: `the envelope (before, after, source, op), default of ${plugin.name}, is not written yet`,
      hint: 'set after.state.only to "true" for flat rows',
    });
  }
  return { plugin, values, findings };
}

/** For a name that is near to none. */
function hintFor(key: string): string | undefined {
  return key.startsWith(topicPrefix)
    ? `name its group in topic.creation.groups; partitions, cleanup.policy, retention.ms and retention.bytes of a topic can be set`
    : undefined;
}

function checkValue(def: PropertyDef, key: string, raw: string, findings: SourceFinding[]): void {
  const problem = (message: string, hint?: string) =>
    findings.push({ severity: 'error', code: 'bad-connector-config', property: key, message, hint });
  if ((def.type === 'INT' || def.type === 'LONG') && !/^-?\d+$/.test(raw)) problem(`"${raw}" is not a whole number`);
  else if (def.min !== undefined && !(Number(raw) >= def.min && Number.isSafeInteger(Number(raw))))
    problem(`${def.name} is a number from ${def.min} on, not ${raw}`);
  if (def.values && !def.values.some((value) => value.toLowerCase() === raw.toLowerCase())) {
    const nearest = nearestName(raw, def.values);
    problem(
      `"${raw}" is not a value of ${def.name}`,
      nearest ? `did you mean "${nearest}"?` : `one of ${def.values.join(', ')}`,
    );
  } else if (def.use === 'refused' && !def.harmless!.includes(raw)) {
    problem(
      `${def.name}=${raw} is not supported: ${def.doc}`,
      `leave it out${def.harmless![0] ? ` or set it to "${def.harmless![0]}"` : ''}`,
    );
  } else if (def.use === 'accepted') {
    findings.push({ severity: 'note', code: 'not-needed', property: key, message: def.doc });
  }
  if (def.type === 'LIST') {
    for (const part of raw.split(',')) {
      try {
        new RegExp(`^(?:${part.trim()})$`);
      } catch (cause) {
        problem(`"${part.trim()}" is not a regular expression: ${cause instanceof Error ? cause.message : ''}`);
      }
    }
  }
}

function outputSettings(name: string, plugin: PluginClass, values: ReadonlyMap<string, string>): OutputSettings {
  const valueFormat = (values.get('output.data.format') ?? 'JSON').toUpperCase() as 'JSON' | 'AVRO';
  const shape =
    values.get('output.shape') ?? (plugin.plain && !values.has('after.state.only') ? 'flat' : 'flat-with-deleted');
  return {
    topicPrefix: values.get('topic.prefix') ?? name,
    valueFormat,
    // Confluent's v1 connector writes JSON keys whatever the values are; that is its documented default.
    keyFormat: (values.get('output.key.format') ?? 'JSON').toUpperCase() as 'JSON' | 'AVRO',
    keyShape: (values.get('output.key.shape') ?? (plugin.plain ? 'bare' : 'object')) as 'bare' | 'object',
    shape: shape as OutputSettings['shape'],
    ...topicCreation(values),
  };
}
