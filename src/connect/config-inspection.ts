// Goes through a flat map of text properties, in whatever generation's spelling: aliases resolved, defaults set, every problem found at
// once, each with its repair.
import { AppError } from '../core/errors.js';
import { isSecretName } from '../core/secrets.js';
import { nearestName } from '../core/nearest-name.js';
import type { SourceConfig, SourceFinding } from '../source/source-connector.js';
import { propertiesOf, propertyFamilies } from './config-def.js';
import { checkFormats } from './converters.js';
import { noteSchemaChanges } from './default-schema-changes.js';
import { noteOf, problemOf } from './findings.js';
import { checkShape } from './output-shape.js';
import { sourceSettings } from './source-settings.js';
import { belongsToRefused } from './transforms/read-transforms.js';
import type { ConnectorConfig } from './connect-facade.js';
import { maskValue } from './connector-secrets.js';
import { bounds } from '../core/bounds.js';
import { patternCost } from '../core/pattern.js';
import { notAPattern, splitPatterns, wholeName } from '../core/pattern-list.js';
import { hasOnlyTopicCharacters, topicNameRule } from '../core/topic-name.js';
import { serverNamePlaceholder } from './side-topics.js';
import { findPlugin, type PluginClass } from './plugins.js';
import type { PropertyDef, PropertyFamily } from './properties/property.js';
import { checkTopicCreation, groupsProperty, topicPrefix } from './topic-creation.js';
import { own } from '../core/own.js';

export interface Inspection {
  readonly plugin: PluginClass;
  /** By the table's names and spellings, defaults included. */
  readonly values: ReadonlyMap<string, string>;
  readonly findings: readonly SourceFinding[];
}

export function inspectConfig(name: string, config: ConnectorConfig): Inspection {
  const className = config['connector.class'];
  if (!className) {
    throw new AppError('bad-connector-config', 'connector.class is missing', { place: { path: 'connector.class' } });
  }
  assertCountable(config);
  const plugin = findPlugin(className);
  const defs = propertiesOf(plugin.family, config);
  assertPatternsBounded(defs, config);
  const byName = new Map(
    defs.flatMap((def) => [def.name, ...(def.aliases ?? [])].map((spelling) => [spelling, def] as const)),
  );
  const findings: SourceFinding[] = [];
  const values = new Map<string, string>([['name', name]]);
  const spelledAs = new Map<string, string>();
  for (const [key, raw] of Object.entries(config)) {
    const problem = (message: string, hint?: string) => findings.push(problemOf(key, message, hint));
    if (typeof raw !== 'string') {
      problem(
        `the value must be a text, got ${typeof raw}`,
        isSecretName(key) ? 'put it between quotes' : `write "${key}": "${String(raw)}"`,
      );
      continue;
    }
    const def = byName.get(key);
    if (!def) {
      if (belongsToRefused(key, config)) continue;
      findings.push(ofNoProperty(key, [...byName.keys()], propertyFamilies[plugin.family]));
      continue;
    }
    const value = spelled(def, raw);
    const earlier = spelledAs.get(def.name);
    if (earlier !== undefined && values.get(def.name) !== value)
      problem(`"${key}" and "${earlier}" are the same property with two values`);
    spelledAs.set(def.name, key);
    findings.push(...checkValue(def, key, raw));
    values.set(def.name, value);
  }
  for (const def of defs) {
    if (def.required && !values.get(def.name))
      findings.push(problemOf(def.name, `required property "${def.name}" is missing`));
    if (def.default !== undefined && !values.has(def.name)) values.set(def.name, def.default);
  }
  if (!values.get('topic.prefix') && !hasOnlyTopicCharacters(name))
    findings.push(
      problemOf(
        'topic.prefix',
        `names of topics would begin with the connector's name, "${name}", which Kafka does not take`,
        `set topic.prefix: ${topicNameRule}`,
      ),
    );
  findings.push(...checkTopicCreation(values), ...checkFormats(values), ...checkShape(plugin, values));
  findings.push(...noteSchemaChanges(plugin, values));
  return { plugin, values, findings };
}

/** Before anything is made of names that a configuration gives. */
function assertCountable(config: ConnectorConfig): void {
  const counts: readonly (readonly [what: string, property: string | undefined, count: number, max: number])[] = [
    ['properties', undefined, Object.keys(config).length, bounds.connectorProperties.value],
    ...['transforms', 'predicates', groupsProperty].map((property) => {
      const text: unknown = config[property];
      const count = typeof text === 'string' ? text.split(',').length : 0;
      return [`names in ${property}`, property, count, bounds.connectorNames.value] as const;
    }),
  ];
  for (const [what, property, count, max] of counts) {
    if (count > max)
      throw new AppError('bad-connector-config', `there are ${count} ${what}, of ${max} at most`, {
        place: property === undefined ? undefined : { path: property },
      });
  }
}

/** Whose lists of patterns are of a form of their own. */
const keyColumns = 'message.key.columns';

/** Before anything is compiled. */
function assertPatternsBounded(defs: readonly PropertyDef[], config: ConnectorConfig): void {
  const lists = defs.filter(({ name, patterns }) => patterns === true || name === keyColumns);
  let cost = 0;
  for (const spelling of lists.flatMap(({ name, aliases = [] }) => [name, ...aliases])) {
    const text: unknown = config[spelling];
    if (typeof text !== 'string') continue;
    const items = spelling === keyColumns ? text.split(/[;:,]/) : splitPatterns(text);
    for (const item of items) {
      cost += patternCost(item);
      if (cost > bounds.patternSize.value) throw tooManyPatterns(spelling);
    }
  }
}

function tooManyPatterns(property: string): AppError {
  const { value } = bounds.patternSize;
  return new AppError(
    'bad-connector-config',
    `with ${property} the lists of the connector have more than ${value} names and characters of regular expressions`,
    {
      hint: 'counted repetitions multiply what they repeat; several connectors can share the tables of a server',
      place: { path: property },
    },
  );
}

/** Where the source is, and which of its rows are asked for: without these there is nothing to ask it. */
const decisive = new Set(['Source', 'Filters']);

/**
 * The source as far as the configuration is in order, so that what only the server can tell is found beside what is wrong here;
 * undefined where the problems lie in how it is reached.
 */
export function askableSource({ plugin, values, findings }: Inspection): SourceConfig | undefined {
  const defs = propertiesOf(plugin.family, Object.fromEntries(values));
  const wrong = new Set(findings.flatMap(({ severity, property }) => (severity === 'error' ? (property ?? []) : [])));
  const concerned = defs.filter((def) => [def.name, ...(def.aliases ?? [])].some((spelling) => wrong.has(spelling)));
  if (concerned.some((def) => def.use === 'implemented' && decisive.has(def.group))) return undefined;
  const source = new Map(values);
  for (const def of concerned) {
    if (def.default === undefined) source.delete(def.name);
    else source.set(def.name, def.default);
  }
  return sourceSettings(values.get('name') ?? '', source);
}

function ofNoProperty(key: string, names: readonly string[], families: readonly PropertyFamily[]): SourceFinding {
  const shown = visible(key);
  if (key.trim() === '')
    return problemOf(key, `unknown property ${shown}: a property without a name`, 'write the name before the colon');
  const family = families.find(({ pattern }) => pattern.test(key));
  if (family?.use === 'accepted') return noteOf(key, family.doc);
  if (family?.use === 'implemented') return problemOf(key, `${key} is not understood`, family.doc);
  if (family) return problemOf(key, `${key} is not supported: ${family.doc}`, family.way ?? 'leave it out');
  // Blanks and characters without a width come along when a file is copied out of a page.
  const clean = key.replaceAll(/[\p{Cf}\p{Cc}\s]/gu, '');
  const nearest = names.includes(clean) ? clean : nearestName(key, names);
  return problemOf(key, `unknown property ${shown}`, nearest ? `did you mean "${nearest}"?` : hintFor(key));
}

/** A name between quotes, with what nobody would see written out. */
function visible(name: string): string {
  const text = JSON.stringify(name);
  return text.replaceAll(/[\p{Cf}\p{Zs}]/gu, (found) =>
    found === ' ' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** For a name that is near to none. */
function hintFor(key: string): string | undefined {
  const [list, name] = /^(transforms|predicates)\.([^.]+)\./.exec(key)?.slice(1) ?? [];
  if (list !== undefined) return `name "${name}" in ${list}`;
  return key.startsWith(topicPrefix)
    ? `name its group in topic.creation.groups; partitions, cleanup.policy, retention.ms and retention.bytes of a topic can be set`
    : undefined;
}

/** The value as the table spells it. */
function spelled(def: PropertyDef, raw: string): string {
  const small = raw.toLowerCase();
  return own(def.spellings, small) ?? def.values?.find((value) => value.toLowerCase() === small) ?? raw;
}

function checkValue(def: PropertyDef, key: string, raw: string): SourceFinding[] {
  const findings: SourceFinding[] = [];
  const problem = (message: string, hint?: string) => findings.push(problemOf(key, message, hint));
  const shown = maskValue(key, raw);
  const small = raw.trim().toLowerCase();
  const isNumber = def.type === 'INT' || def.type === 'LONG';
  if (isNumber && !/^-?\d+$/.test(raw)) problem(`"${shown}" is not a whole number`);
  else if (isNumber && !isWithin(Number(raw), def)) problem(`${def.name} is a number ${rangeOf(def)}, not ${shown}`);
  const words = def.type === 'LIST' && def.values ? small.split(',').map((word) => word.trim()) : [small];
  const refusal = words.map((word) => own(def.refusedValues, word)).find((found) => found !== undefined);
  if (refusal !== undefined) {
    problem(`${def.name}=${shown} is not supported: ${refusal}`, `one of ${(def.values ?? []).join(', ')}`);
  } else if (def.values && !words.every((word) => takes(def, word))) {
    const nearest = nearestName(raw, def.values);
    problem(
      `"${shown}" is not a value of ${def.name}`,
      nearest ? `did you mean "${nearest}"?` : `one of ${def.values.join(', ')}`,
    );
  } else if (def.use === 'refused' && !def.harmless!.some((value) => value.toLowerCase() === small)) {
    const harmless = def.harmless![0];
    problem(
      `${def.name}=${shown} is not supported: ${def.doc}`,
      def.way ?? `leave it out${harmless ? ` or set it to "${harmless}"` : ''}`,
    );
  } else if (def.use === 'accepted') findings.push(noteOf(key, def.doc));
  for (const word of words) {
    const note = own(def.notedValues, word);
    if (note !== undefined) findings.push(noteOf(key, note));
  }
  if (def.ofTopics === true && !hasOnlyTopicCharacters(raw.replace(serverNamePlaceholder, '')))
    problem(`"${shown}" has characters that Kafka does not take in the name of a topic`, topicNameRule);
  if (def.patterns === true) {
    for (const part of splitPatterns(raw)) {
      try {
        wholeName(part);
      } catch (cause) {
        problem(notAPattern(part, cause));
      }
    }
  }
  return findings;
}

function takes(def: PropertyDef, word: string): boolean {
  return def.values!.some((value) => value.toLowerCase() === word) || own(def.spellings, word) !== undefined;
}

function isWithin(value: number, { min = -Infinity, max = Infinity }: PropertyDef): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function rangeOf({ min, max }: PropertyDef): string {
  if (max === undefined) return min === undefined ? 'that fits in 53 bits' : `from ${min} on`;
  return `from ${min ?? 0} to ${max}`;
}
