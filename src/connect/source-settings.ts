// What a source is started with: the configuration's properties, and what of its transforms is the source's business, so that a table of
// which no record is wanted is neither read nor held.
import type { SourceConfig } from '../source/source-connector.js';
import { unwantedTopicsProperty } from '../core/topic-name.js';
import { readTransforms } from './transforms/read-transforms.js';

export function sourceSettings(name: string, values: ReadonlyMap<string, string>): SourceConfig {
  const settings = Object.fromEntries(values);
  const unwanted = readTransforms(values).unwanted.map(({ pattern, negate }) => ({ pattern, negate }));
  if (unwanted.length === 0) return settings;
  return {
    ...settings,
    [unwantedTopicsProperty]: JSON.stringify(unwanted),
    'topic.prefix': values.get('topic.prefix') ?? name,
  };
}
