// A property that is implemented is read by somebody: what a configuration says and nobody reads would be without effect.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { propertyDefs } from '../../../src/connect/config-def.js';

const src = join(import.meta.dirname, '../../../src');
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith(join('connect', 'properties')))
  .map((name) => readFileSync(join(src, name), 'utf8'))
  .join('\n');

const implemented = Object.values(propertyDefs)
  .flat()
  .filter(({ use }) => use === 'implemented')
  .flatMap(({ name }) => name);

/** Where the reader puts the name together. */
const parts: Readonly<Record<string, string>> = {
  'key.converter.schemas.enable': '.converter.schemas.enable`',
  'value.converter.schemas.enable': '.converter.schemas.enable`',
  'topic.creation.default.retention.ms': '...retention(values, defaultGroup)',
  'topic.creation.default.retention.bytes': '...retention(values, defaultGroup)',
};
/** Each of its values is refused, or says in a note what is done. */
const toldOnly = ['skipped.operations'];

it.each([...new Set(implemented)].filter((name) => !toldOnly.includes(name)))('%s is read', (name) => {
  expect([
    name,
    [`'${name}'`, `"${name}"`, `\`${name}\``, ...(parts[name] === undefined ? [] : [parts[name]])].some((text) =>
      sources.includes(text),
    ),
  ]).toEqual([name, true]);
});
