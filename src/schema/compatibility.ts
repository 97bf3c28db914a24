// The registry's compatibility rules, as Confluent's registry defines them: BACKWARD = data of the old schema is readable with the
// new one, FORWARD the other way, FULL both; against the newest version, or all of them where the level is transitive.
// Whether one Avro schema reads another's data is avsc's resolver's to say; of Protobuf see protobuf/differences.ts.
import { avroType } from './avro-text.js';
import type { LinkedFile } from './protobuf/descriptors.js';
import { protobufBreach } from './protobuf/differences.js';

export type CompatibilityRule =
  'NONE' | 'BACKWARD' | 'BACKWARD_TRANSITIVE' | 'FORWARD' | 'FORWARD_TRANSITIVE' | 'FULL' | 'FULL_TRANSITIVE';

export const compatibilityRules: readonly CompatibilityRule[] = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
];

export interface EarlierSchema<Schema = string> {
  readonly version: number;
  readonly schema: Schema;
}

/** What stands against the candidate, one text per breach; empty: compatible. `earlier` in rising order of versions. */
export function avroBreaches(rule: CompatibilityRule, candidate: string, earlier: readonly EarlierSchema[]): string[] {
  return breachesOf(rule, candidate, earlier, unreadable);
}

export function protobufBreaches(
  rule: CompatibilityRule,
  candidate: LinkedFile,
  earlier: readonly EarlierSchema<LinkedFile>[],
): string[] {
  return breachesOf(rule, candidate, earlier, protobufBreach);
}

function breachesOf<Schema>(
  rule: CompatibilityRule,
  candidate: Schema,
  earlier: readonly EarlierSchema<Schema>[],
  breach: (reader: Schema, writer: Schema) => string | undefined,
): string[] {
  const compared = rule === 'NONE' ? [] : rule.endsWith('_TRANSITIVE') ? earlier : earlier.slice(-1);
  const backward = rule.startsWith('BACKWARD') || rule.startsWith('FULL');
  const forward = rule.startsWith('FORWARD') || rule.startsWith('FULL');
  const messages: string[] = [];
  for (const { version, schema } of compared.toReversed()) {
    if (backward) {
      const reason = breach(candidate, schema);
      if (reason) messages.push(`the new schema cannot read data of version ${version}: ${reason}`);
    }
    if (forward) {
      const reason = breach(schema, candidate);
      if (reason) messages.push(`version ${version} cannot read data of the new schema: ${reason}`);
    }
  }
  return messages;
}

/** Why data of `writer` cannot be read with `reader`; undefined when it can. */
function unreadable(reader: string, writer: string): string | undefined {
  const readerType = avroType(reader);
  const writerType = avroType(writer);
  try {
    // Java compares the names of records without their namespaces.
    readerType.createResolver(writerType, { ignoreNamespaces: true });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
