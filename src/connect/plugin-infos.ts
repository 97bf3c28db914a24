// The classes that .../connector-plugins lists: connectors, and what their configurations name.
import type { PluginInfo } from './connect-facade.js';
import { pluginClasses } from './plugins.js';
import { converterClasses } from './properties/converters.js';
import { predicateClasses } from './transforms/read-transforms.js';
import { transformTypes } from './transforms/transform-types.js';

export function pluginInfos(version: string, all: boolean): readonly PluginInfo[] {
  const of = (type: PluginInfo['type'], names: readonly string[]) =>
    names.map((name) => ({ class: name, type, version }));
  const connectors = of(
    'source',
    pluginClasses.map(({ name }) => name),
  );
  if (!all) return connectors;
  return [
    ...connectors,
    ...of('converter', converterClasses),
    ...of('transformation', Object.values(transformTypes).flat()),
    ...of('predicate', predicateClasses),
  ];
}
