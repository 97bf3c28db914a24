// The answer of Kafka Connect's .../config/validate: every property with its definition and its value, errors beside the property.
// What only the live source can tell (grants, settings, filters) is added to the property that it concerns. As in the original, a
// property that is not defined has an entry without a definition, and error_count counts every error. Beyond it: `notes` beside the
// errors, on what has no effect here and why.
import { AppError } from '../core/errors.js';
import type { SourceFinding } from '../source/source-connector.js';
import { propertiesOf } from './config-def.js';
import { inspectConfig, type Inspection } from './config-inspection.js';
import { textOf } from './connector-config.js';
import { createRedact, maskSecrets, type Redact } from './connector-secrets.js';
import type { ConnectorConfig, ValidationResult } from './connect-facade.js';
import { findPlugin, type PluginClass } from './plugins.js';
import type { PropertyDef } from './properties/property.js';

interface ValidatedConfig {
  /** As it was given: this is what the answer shows. */
  readonly given: ConnectorConfig;
  /** With its references resolved: this is what is checked. */
  readonly resolved: ConnectorConfig;
  readonly redact: Redact;
}

export interface ValidationEnv {
  readonly resolve: (config: ConnectorConfig) => ConnectorConfig;
  /** What the live source says. */
  readonly problems: (inspection: Inspection) => Promise<readonly SourceFinding[]>;
}

export async function validate(
  pluginClass: string,
  config: ConnectorConfig,
  { resolve, problems }: ValidationEnv,
): Promise<ValidationResult> {
  const plugin = findPlugin(config['connector.class'] ?? pluginClass);
  if (findPlugin(pluginClass).name !== plugin.name)
    throw new AppError('bad-request', `the configuration is of class ${plugin.name}, the request of ${pluginClass}`, {
      hint: 'ask for the class that connector.class names',
    });
  const given = { 'connector.class': plugin.name, ...config };
  const redact = createRedact(given, resolve);
  return validationResult(plugin, { given, resolved: resolve(given), redact }, problems);
}

async function validationResult(
  plugin: PluginClass,
  { given, resolved, redact }: ValidatedConfig,
  live: (inspection: Inspection) => Promise<readonly SourceFinding[]>,
): Promise<ValidationResult> {
  const name = given['name'] ?? '';
  const inspection = inspectConfig(name, resolved);
  const all = [...inspection.findings, ...(await live(inspection))];
  const errors = all.filter(({ severity }) => severity === 'error');
  const defs = propertiesOf(plugin.family, given);
  const shown = maskSecrets(Object.fromEntries(inspectConfig(name, given).values));
  const spellings = new Set(defs.flatMap((def) => [def.name, ...(def.aliases ?? [])]));
  const valueOf = (property: string, own: readonly SourceFinding[], def?: PropertyDef) => {
    const texts = (chosen: readonly SourceFinding[]) => chosen.map((finding) => redact(textOf(finding)));
    const notes = texts(own.filter(({ severity }) => severity !== 'error'));
    return {
      name: property,
      value: shown[property] ?? maskSecrets(given)[property] ?? null,
      recommended_values: def?.values ?? [],
      errors: texts(own.filter(({ severity }) => severity === 'error')),
      visible: true,
      ...(notes.length > 0 ? { notes } : {}),
    };
  };
  const ofDefined = defs.map((def, order) => {
    const names = [def.name, ...(def.aliases ?? [])];
    // What concerns the server as a whole is told at the class.
    const own = all.filter(({ property }) =>
      property === undefined ? def.name === 'connector.class' : names.includes(property),
    );
    return { definition: definition(def, order), value: valueOf(def.name, own, def) };
  });
  const unknown = new Set(all.flatMap(({ property }) => property ?? []).filter((each) => !spellings.has(each)));
  const ofUnknown = [...unknown].map((property) => ({
    definition: null,
    value: valueOf(
      property,
      all.filter((each) => each.property === property),
    ),
  }));
  return {
    name: plugin.name,
    error_count: errors.length,
    groups: [...new Set(defs.map((def) => def.group))],
    configs: [...ofDefined, ...ofUnknown],
  };
}

export function definition(def: PropertyDef, order: number): Readonly<Record<string, unknown>> {
  return {
    name: def.name,
    type: def.type,
    required: def.required ?? false,
    default_value: def.default ?? null,
    importance: def.required ? 'HIGH' : 'MEDIUM',
    documentation: documentationOf(def),
    group: def.group,
    order_in_group: order,
    width: 'MEDIUM',
    display_name: def.name,
    dependents: [],
  };
}

function documentationOf({ use, doc, way }: PropertyDef): string {
  switch (use) {
    case 'implemented':
      return doc;
    case 'accepted':
      return `accepted, and not needed here: ${doc}`;
    case 'refused':
      return `not supported: ${doc}${way === undefined ? '' : ` (${way})`}`;
  }
}
