// The table of the properties: whole, without a contradiction, and the one of the documentation.
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import { propertyDefs, propertyFamilies } from '../../../src/connect/config-def.js';
import {
  refusedTransforms,
  transformProperties,
  transformTypes,
  type TransformKind,
} from '../../../src/connect/transforms/transform-types.js';
import type { PropertyDef, PropertyFamily } from '../../../src/connect/properties/property.js';

const manual = new URL('../../../docs/connector-properties.md', import.meta.url);

function rowOf(def: PropertyDef): string {
  const { name, aliases = [], use, doc, way, values, refusedValues = {}, harmless = [] } = def;
  const names = [name, ...aliases].map((each) => `\`${each}\``).join(', ');
  const taken = use === 'refused' ? harmless.filter((value) => value !== '') : (values ?? []);
  const more = [
    ...(def.default === undefined || def.default === '' ? [] : [`default \`${def.default}\``]),
    ...(taken.length === 0
      ? []
      : [`${use === 'refused' ? 'only' : 'one of'} ${taken.map((v) => `\`${v}\``).join(', ')}`]),
    ...Object.entries(refusedValues).map(([value, reason]) => `not \`${value}\`: ${reason}`),
    ...(way === undefined ? [] : [way]),
  ];
  return `| ${names} | ${use} | ${[doc, ...more].join('; ').replaceAll('|', String.raw`\|`)} |`;
}

function familyRow({ name, use, doc, way }: PropertyFamily): string {
  return `| \`${name}\` | ${use} | ${doc}${way === undefined ? '' : `; ${way}`} |`;
}

function table(rows: readonly string[]): string {
  return ['| property | here | what it does, or why not |', '|---|---|---|', ...rows].join('\n');
}

function tablesOf(defs: readonly PropertyDef[], families: readonly PropertyFamily[]): string {
  const groups = [...new Set(defs.map(({ group }) => group))];
  return [
    ...groups.map((group) => `### ${group}\n\n${table(defs.filter((def) => def.group === group).map(rowOf))}`),
    `### Families\n\n${table(families.map(familyRow))}`,
  ].join('\n\n');
}

function manualText(): string {
  const common = new Set(propertyDefs.mysql);
  return `# Properties of connectors

Made from the table in \`src/connect/properties\` by a test, which keeps the two equal. **implemented**: it has its effect. **accepted**: it
cannot matter here, and \`validate\` tells why in a note. **refused**: an error with the way out, but for the values that ask for
nothing. A property that is in no table is an error with the nearest name. \`*\` stands for any text.

## MySQL and MariaDB

Classes \`MySqlCdcSource\`, \`MySqlCdcSourceV2\`, \`MariaDbCdcSource\`, \`io.debezium.connector.mysql.MySqlConnector\`,
\`io.debezium.connector.mariadb.MariaDbConnector\`.

${tablesOf(propertyDefs.mysql, propertyFamilies.mysql)}

## Converters

\`key.converter\` and \`value.converter\` decide the formats as \`output.key.format\` and \`output.data.format\` do. JsonConverter
writes {"schema", "payload"} unless \`schemas.enable\` is \`false\`, as in Kafka Connect; without any converter JSON has no schemas.
JsonSchemaConverter (JSON_SR) puts the id of a registered JSON Schema in front of the same text.
StringConverter is for keys of one number or text, which \`ExtractField$Key\` takes out of their object. Schemas name integers
\`int32\` and \`int64\`, and times by Debezium's names (\`time.precision.mode=connect\`: by Connect's).

## Transforms

They are compiled into the encoder of each table and the name of its topic when the table is opened, in their order. Added
fields are columns of the table, too. With a predicate: TopicNameMatches decides per table, RecordIsTombstone only matters
to Filter, and no record has a header for HasHeaderKey when it is transformed. A Filter by TopicNameMatches leaves tables out
where they are read, as the filters of tables do (MySQL and MariaDB), by the topic that they have before routers.

${transformText()}

Not done here:

| transform | why not |
|---|---|
${Object.entries(refusedTransforms)
  .map(([name, [reason, way]]) => `| \`${name}\` | ${reason}${way === undefined ? '' : `; ${way}`} |`)
  .join('\n')}

## SQLite

Class \`SqliteCdcSource\`. Beside those of Kafka Connect, output, filters and failures above:

${table(propertyDefs.sqlite.filter((def) => !common.has(def)).map(rowOf))}

## Polling

Classes \`io.confluent.connect.jdbc.JdbcSourceConnector\` and \`MySqlSource\`, for MySQL, MariaDB and SQLite: tables are asked again and
again, so **deletes are not seen**. A table needs a primary key, which is the key of its records; its topic is \`topic.prefix\` with
the name of the table behind it. Beside those of Kafka Connect, output, filters and failures above:

${table(propertyDefs.polling.filter((def) => !common.has(def)).map(rowOf))}
`;
}

function transformText(): string {
  return (Object.keys(transformTypes) as TransformKind[])
    .map((kind) => {
      const rows = transformProperties(kind, 'transforms.NAME').map(rowOf);
      return `### ${transformTypes[kind].join(', ')}\n\n${rows.length === 0 ? 'Only with the predicate RecordIsTombstone: it takes the tombstones out behind rows that are marked as deleted.' : table(rows)}`;
    })
    .join('\n\n');
}

describe('the properties', () => {
  it('are those of the manual (REWRITE=1 updates it)', async () => {
    const text = await format(manualText(), { parser: 'markdown', printWidth: 120 });
    if (process.env['REWRITE'] === '1') writeFileSync(manual, text);
    expect(readFileSync(manual, 'utf8')).toBe(text);
  });

  it.each(['mysql', 'sqlite', 'polling'] as const)('stand once in the table of %s, under whatever name', (family) => {
    const names = propertyDefs[family].flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    const byFamily = names.filter((name) => propertyFamilies[family].some(({ pattern }) => pattern.test(name)));
    expect(byFamily.filter((name) => !explicit.has(name))).toEqual([]);
  });

  it('have defaults among their values', () => {
    const wrong = propertyDefs.mysql.filter(
      (def) => def.default !== undefined && def.values !== undefined && !def.values.includes(def.default),
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});

/** Of a family, and told on their own. */
const explicit = new Set([
  'producer.override.linger.ms',
  'producer.override.compression.type',
  'producer.override.batch.size',
]);
