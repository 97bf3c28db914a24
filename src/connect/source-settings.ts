// What a source is started with: the configuration's properties, and what of its transforms is the source's business: a table of which no
// record is wanted is neither read nor held, and rows that the database gives no key have the one that is stated.
import type { SourceConfig } from '../source/source-connector.js';
import { statedKeysProperty, type StatedKey } from '../core/stated-key.js';
import { unwantedTopicsProperty } from '../core/topic-name.js';
import type { Transform } from './transforms/transform-step.js';
import { readTransforms } from './transforms/read-transforms.js';

export function sourceSettings(name: string, values: ReadonlyMap<string, string>): SourceConfig {
  const settings = Object.fromEntries(values);
  const { transforms, ...read } = readTransforms(values);
  const unwanted = read.unwanted.map(({ pattern, negate }) => ({ pattern, negate }));
  const keys = transforms.flatMap(statedKeys);
  return {
    ...settings,
    ...(unwanted.length === 0 ? {} : { [unwantedTopicsProperty]: JSON.stringify(unwanted) }),
    ...(keys.length === 0 ? {} : { [statedKeysProperty]: JSON.stringify(keys) }),
    'topic.prefix': values.get('topic.prefix') ?? name,
  };
}

function statedKeys({ steps, when }: Transform): StatedKey[] {
  return steps.flatMap((step) =>
    step.kind === 'key' ? [{ topic: when?.topic, negate: when?.negate === true, fields: step.fields }] : [],
  );
}
