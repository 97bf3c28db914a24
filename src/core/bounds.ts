// What one request, row, name or outside server may cost at most, where nobody can set it (what can be set is an option, config.ts). The
// README's table of bounds is made of this one.
import type { ErrorCode } from './errors.js';

export interface Bound {
  readonly value: number;
  /** What is bounded, and in what. */
  readonly what: string;
  /** Of the refusal. */
  readonly code: ErrorCode;
}

export const bounds = {
  connectorProperties: { value: 2_000, what: 'properties of a connector', code: 'bad-connector-config' },
  connectorNames: {
    value: 200,
    what: 'transforms, predicates, or groups of topics of a connector',
    code: 'bad-connector-config',
  },
  patternSize: {
    value: 30_000,
    what: 'names and characters of regular expressions in the lists of a connector, counted repetitions multiplied',
    code: 'bad-connector-config',
  },
  patternMs: {
    value: 50,
    what: 'milliseconds in which a regular expression with lookaround or back references has to match a name, or not',
    code: 'bad-connector-config',
  },
  schemaSize: {
    value: 500_000,
    what: 'characters of a schema that is registered or compared',
    code: 'invalid-schema',
  },
  schemaReferences: {
    value: 1_000,
    what: 'schemas that one schema refers to, with those that these refer to',
    code: 'invalid-schema',
  },
  schemaDepth: {
    value: 200,
    what: 'lists and objects around one another in an Avro or JSON schema',
    code: 'invalid-schema',
  },
  schemaSteps: {
    value: 500_000,
    what: 'types, fields and tens of characters that are read and compared to register one schema',
    code: 'invalid-schema',
  },
} as const satisfies Readonly<Record<string, Bound>>;
