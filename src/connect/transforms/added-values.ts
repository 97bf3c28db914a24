// What ExtractNewRecordState adds to records, as fields and as headers: entries `field` or `field:name`, told apart by the names that Debezium
// has for them.
import { headersMax, logHeaders } from '../../core/record-headers.js';
import { factNamed, factNames } from '../../schema/formats/change-facts.js';
import type { AddedValue, TransformStep } from './transform-step.js';
import { own } from '../../core/own.js';

type Values = ReadonlyMap<string, string>;
type Problem = (property: string, message: string, hint: string) => void;

const known: Readonly<Record<string, AddedValue>> = {
  op: { kind: 'op' },
  table: { kind: 'table' },
  'source.table': { kind: 'table' },
  db: { kind: 'database' },
  'source.db': { kind: 'database' },
};

interface Added {
  readonly name: string;
  readonly value: AddedValue;
}

export function addedFields(
  entries: readonly string[],
  prefix: string | undefined,
  values: Values,
  problem: Problem,
): TransformStep[] {
  return addedOf('field', entries, prefix, values, problem).map(({ name, value }) => ({
    kind: 'add',
    field: name,
    value,
  }));
}

export function addedHeaders(
  entries: readonly string[],
  prefix: string | undefined,
  values: Values,
  problem: Problem,
): TransformStep[] {
  const property = 'add.headers';
  const headers = addedOf('header', entries, prefix, values, problem);
  const taken = takenHeader(headers.map(({ name }) => name));
  if (taken !== undefined) problem(property, taken, 'give it another name, or add.headers.prefix');
  // The place of a row in its event is told by the row.
  if (headers.some(({ value }) => value.kind === 'fact' && value.fact === 'source.row'))
    problem(property, 'the header "source.row" is not written', 'add it as a field: add.fields');
  if (headers.length > headersMax) problem(property, `there are more than ${headersMax} headers`, 'leave some out');
  return headers.map((each) => ({ kind: 'header', ...each }));
}

/** What is said of the first name that the log itself has for a header. */
export function takenHeader(names: readonly string[]): string | undefined {
  const taken = names.find((name) => logHeaders.includes(name));
  return taken === undefined ? undefined : `the log itself has a header "${taken}"`;
}

function addedOf(
  what: 'field' | 'header',
  entries: readonly string[],
  prefix = '__',
  values: Values,
  problem: Problem,
): Added[] {
  return entries.flatMap((entry) => {
    const [field = '', name] = entry.split(':');
    const value = addedValue(field, values);
    if (value) return [{ name: prefix + (name ?? field.replaceAll('.', '_')), value }];
    problem(
      `add.${what}s`,
      `the ${what} "${field}" is not written`,
      `one of ${[...Object.keys(known), 'name', 'connector', ...factNames].join(', ')}`,
    );
    return [];
  });
}

function addedValue(field: string, values: Values): AddedValue | undefined {
  switch (field) {
    case 'name':
    case 'source.name':
      return { kind: 'text', text: values.get('topic.prefix') ?? values.get('name') ?? '' };
    case 'connector':
    case 'source.connector':
      return { kind: 'text', text: /mariadb/i.test(values.get('connector.class') ?? '') ? 'mariadb' : 'mysql' };
    default: {
      const fact = factNamed(field);
      return own(known, field) ?? (fact && { kind: 'fact', fact });
    }
  }
}
