// The registry's compatibility rules, as Confluent's registry defines them: BACKWARD = data of the old schema is readable with the
// new one, FORWARD the other way, FULL both; against the newest version, or all of them where the level is transitive.
// Whether one schema reads another's data is for the rules of its type to say.
import type { CompatibilityLevel } from '../core/compatibility-level.js';

export interface EarlierSchema<Schema> {
  readonly version: number;
  /** Asked for only where it is compared. */
  readonly schema: () => Schema;
}

/** Why data of `writer` is not read with `reader`; empty: it is. */
export type Unreadable<Schema> = (reader: Schema, writer: Schema) => readonly string[];

/** What stands against the candidate, one text per breach; empty: compatible. `earlier` in rising order of versions. */
export function breachesOf<Schema>(
  rule: CompatibilityLevel,
  candidate: Schema,
  earlier: readonly EarlierSchema<Schema>[],
  unreadable: Unreadable<Schema>,
): string[] {
  const compared = rule === 'NONE' ? [] : rule.endsWith('_TRANSITIVE') ? earlier : earlier.slice(-1);
  const backward = rule.startsWith('BACKWARD') || rule.startsWith('FULL');
  const forward = rule.startsWith('FORWARD') || rule.startsWith('FULL');
  const messages: string[] = [];
  for (const { version, schema } of compared.toReversed()) {
    const other = schema();
    if (backward) {
      const reasons = unreadable(candidate, other);
      if (reasons.length > 0)
        messages.push(`the new schema cannot read data of version ${version}: ${reasons.join(', ')}`);
    }
    if (forward) {
      const reasons = unreadable(other, candidate);
      if (reasons.length > 0)
        messages.push(`version ${version} cannot read data of the new schema: ${reasons.join(', ')}`);
    }
  }
  return messages;
}
