// The properties of a class, as Kafka Connect's .../connector-plugins/{class}/config tells them: of connectors, and of the converters,
// transforms and predicates that their configurations name.
import { AppError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import { propertiesOf } from './config-def.js';
import { definition } from './config-validation.js';
import { pluginInfos } from './plugin-infos.js';
import { pluginClasses } from './plugins.js';
import { converterProperties } from './properties/converters.js';
import type { PropertyDef } from './properties/property.js';
import { transformDefs } from './transforms/read-transforms.js';

/** Throws unknown-plugin. */
export function pluginDefinitions(name: string): readonly Readonly<Record<string, unknown>>[] {
  return propertiesOfClass(name).map((def, order) => definition(def, order));
}

function propertiesOfClass(name: string): readonly PropertyDef[] {
  const connector = pluginClasses.find((each) => each.name === name || each.aliases.includes(name));
  if (connector !== undefined) return propertiesOf(connector.family, {});
  const all = pluginInfos('', true);
  const found = all.find((each) => each.class === name) ?? all.find((each) => each.class.endsWith(`.${name}`));
  switch (found?.type) {
    case 'converter':
      return below('value.converter.', converterProperties);
    case 'transformation':
      return below('transforms.t.', transformDefs({ transforms: 't', 'transforms.t.type': found.class }));
    case 'predicate':
      return below('predicates.p.', transformDefs({ predicates: 'p', 'predicates.p.type': found.class }));
    default: {
      const nearest = nearestName(
        name,
        all.map((each) => each.class),
      );
      throw new AppError('unknown-plugin', `there is no plug-in "${name}"`, {
        hint: nearest ? `did you mean "${nearest}"?` : 'GET /connector-plugins?connectorsOnly=false lists them',
      });
    }
  }
}

/** What belongs to the place where a class is named is no property of the class. */
const ofPlace: ReadonlySet<string> = new Set(['type', 'predicate', 'negate']);

function below(prefix: string, defs: readonly PropertyDef[]): readonly PropertyDef[] {
  return defs
    .filter((def) => def.name.startsWith(prefix))
    .map((def) => ({ ...def, name: def.name.slice(prefix.length) }))
    .filter((def) => !ofPlace.has(def.name));
}
