// The keywords of JSON Schema, from draft 4 to 2020-12, that say something of a value: what kind of value each has, and where in them
// schemas stand.
import { AppError } from '../../core/errors.js';
import type { JsonObject } from './json-node.js';

type Check = readonly [what: string, holds: (value: unknown) => boolean];

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isText = (value: unknown) => typeof value === 'string';

const list: Check = ['a list', isList];
const someSchemas: Check = ['a list of schemas', (value) => isList(value) && value.length > 0];
const object: Check = ['an object', isObject];
const text: Check = ['a text', isText];
const texts: Check = ['a list of texts', (value) => isList(value) && value.every(isText)];
const number: Check = ['a number', (value) => typeof value === 'number'];
const limit: Check = ['a number or a boolean', (value) => typeof value === 'number' || typeof value === 'boolean'];
const count: Check = ['a whole number from 0', (value) => Number.isInteger(value) && (value as number) >= 0];
const typeNames = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

const checks: Readonly<Record<string, Check>> = {
  type: [
    'the name of a type or a list of such',
    (value) => (isList(value) ? value : [value]).every((name) => typeNames.includes(name as string)),
  ],
  enum: list,
  allOf: someSchemas,
  anyOf: someSchemas,
  oneOf: someSchemas,
  prefixItems: list,
  properties: object,
  patternProperties: object,
  definitions: object,
  $defs: object,
  dependencies: object,
  dependentSchemas: object,
  dependentRequired: [
    'an object of lists of texts',
    (value) => isObject(value) && Object.values(value).every(texts[1]),
  ],
  // Draft 3 has a boolean here.
  required: ['a list of texts', (value) => typeof value === 'boolean' || texts[1](value)],
  pattern: text,
  maxLength: count,
  minLength: count,
  maxItems: count,
  minItems: count,
  maxProperties: count,
  minProperties: count,
  maximum: number,
  minimum: number,
  multipleOf: ['a number over 0', (value) => typeof value === 'number' && value > 0],
  exclusiveMaximum: limit,
  exclusiveMinimum: limit,
};

/** Throws invalid-schema. */
export function assertKeywords(schema: JsonObject): void {
  for (const [keyword, value] of Object.entries(schema)) {
    const check = Object.hasOwn(checks, keyword) ? checks[keyword]! : undefined;
    if (check === undefined || check[1](value)) continue;
    throw new AppError('invalid-schema', 'the JSON schema is not valid', {
      detail: `"${keyword}" is ${JSON.stringify(value)?.slice(0, 100)}, not ${check[0]}`,
    });
  }
}

const ones = [
  'additionalProperties',
  'additionalItems',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
];
const lists = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const maps = ['properties', 'patternProperties', 'definitions', '$defs', 'dependentSchemas'];

/** The schemas that stand in one. */
export function* partsOf(schema: JsonObject): Generator<unknown> {
  for (const keyword of ones) if (keyword in schema) yield schema[keyword];
  for (const keyword of lists) if (isList(schema[keyword])) yield* schema[keyword];
  for (const keyword of maps) if (isObject(schema[keyword])) yield* Object.values(schema[keyword]);
  const { items, dependencies } = schema;
  if (isList(items)) yield* items;
  else if (items !== undefined) yield items;
  if (isObject(dependencies)) yield* Object.values(dependencies).filter((each) => !isList(each));
}
