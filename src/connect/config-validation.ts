// The answer of Kafka Connect's .../config/validate: every property with its definition and its value, errors beside the property.
// What only the live source can tell (grants, settings, filters) is added to the property that it concerns.
import { toAppError } from '../core/errors.js';
import type { SourceFinding } from '../source/source-connector.js';
import { propertiesOf, type PropertyDef } from './config-def.js';
import { checkConfig, inspectConfig, type CheckedConfig } from './connector-config.js';
import { maskSecrets, type Redact } from './connector-secrets.js';
import type { ConnectorConfig, ValidationResult } from './connect-facade.js';
import type { PluginClass } from './plugins.js';

export interface ValidatedConfig {
  /** As it was given: this is what the answer shows. */
  readonly given: ConnectorConfig;
  /** With its references resolved: this is what is checked. */
  readonly resolved: ConnectorConfig;
  readonly redact: Redact;
}

export async function validationResult(
  plugin: PluginClass,
  { given, resolved, redact }: ValidatedConfig,
  live: (checked: CheckedConfig) => Promise<readonly SourceFinding[]>,
): Promise<ValidationResult> {
  const name = given['name'] ?? '';
  const all: SourceFinding[] = [...inspectConfig(name, resolved).findings];
  if (!all.some((f) => f.severity === 'error')) all.push(...(await liveFindings(name, resolved, live)));
  const defs = propertiesOf(plugin.family, given);
  const shown = maskSecrets(Object.fromEntries(inspectConfig(name, given).values));
  const known = new Set(defs.flatMap((def) => [def.name, ...(def.aliases ?? [])]));
  // What belongs to no property of the table (an unknown one, the server as a whole) is reported at the class.
  const orphans = all.filter((f) => f.severity === 'error' && (f.property === undefined || !known.has(f.property)));
  const configs = defs.map((def, order) => {
    const own = all.filter(
      (f) =>
        f.severity === 'error' &&
        f.property !== undefined &&
        (f.property === def.name || def.aliases?.includes(f.property)),
    );
    const errors = [...own, ...(def.name === 'connector.class' ? orphans : [])].map((finding) => redact(text(finding)));
    return {
      definition: definition(def, order),
      value: {
        name: def.name,
        value: shown[def.name] ?? null,
        recommended_values: def.values ?? [],
        errors,
        visible: true,
      },
    };
  });
  return {
    name: plugin.name,
    error_count: configs.filter((c) => c.value.errors.length > 0).length,
    groups: [...new Set(defs.map((def) => def.group))],
    configs,
  };
}

async function liveFindings(
  name: string,
  config: ConnectorConfig,
  live: (checked: CheckedConfig) => Promise<readonly SourceFinding[]>,
): Promise<readonly SourceFinding[]> {
  try {
    return await live(checkConfig(name, config));
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    const property = code === 'source-access-denied' ? 'database.password' : 'database.hostname';
    return [{ severity: 'error', code, property, message, hint }];
  }
}

function text(finding: SourceFinding): string {
  return finding.hint === undefined ? finding.message : `${finding.message} (${finding.hint})`;
}

function definition(def: PropertyDef, order: number): Readonly<Record<string, unknown>> {
  return {
    name: def.name,
    type: def.type,
    required: def.required ?? false,
    default_value: def.default ?? null,
    importance: def.required ? 'HIGH' : 'MEDIUM',
    documentation: def.doc,
    group: def.group,
    order_in_group: order,
    width: 'MEDIUM',
    display_name: def.name,
    dependents: [],
  };
}
