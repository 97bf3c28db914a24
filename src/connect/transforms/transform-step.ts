// What transforms come to: steps that a table's plan takes in their order, once, when the table is opened. Plain objects, since they go to
// another thread.

import type { CastTarget } from '../../schema/formats/cast-value.js';
import type { EventRouting } from './event-router.js';
import type { TimeConversion } from '../../schema/formats/time-conversion.js';
import type { FactName } from '../../schema/formats/change-facts.js';

export type TransformStep =
  | { readonly kind: 'rename-topic'; readonly regex: string; readonly replacement: string }
  | {
      readonly kind: 'replace';
      readonly side: 'key' | 'value';
      readonly exclude: readonly string[];
      /** Empty: all. */
      readonly include: readonly string[];
      readonly renames: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'mask'; readonly fields: readonly string[]; readonly replacement?: string | undefined }
  | { readonly kind: 'cast'; readonly fields: Readonly<Record<string, CastTarget>> }
  /** The rows of the table are events, each with a topic of its own. */
  | { readonly kind: 'route-events'; readonly routing: EventRouting }
  | { readonly kind: 'time'; readonly field: string; readonly conversion: TimeConversion }
  /** Rows are flat already, unless a column has fields of its own. */
  | { readonly kind: 'flatten' }
  | { readonly kind: 'add'; readonly field: string; readonly value: AddedValue }
  | { readonly kind: 'header'; readonly name: string; readonly value: AddedValue; readonly everywhere?: true }
  | { readonly kind: 'key'; readonly fields: readonly string[] }
  | { readonly kind: 'bare-key'; readonly field: string };

/** `op` is that of the record (c, u, d or r), a fact that of the change; the others are the same for all records of a table. */
export type AddedValue =
  | { readonly kind: 'op' | 'topic' | 'table' | 'database' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fact'; readonly fact: FactName };

export interface Transform {
  /** Its name in the configuration. */
  readonly name: string;
  readonly steps: readonly TransformStep[];
  /** It takes rows out of Debezium's envelope. */
  readonly unwraps?: true;
  /** Only for topics that match, or that do not. */
  readonly when?: { readonly topic: string; readonly negate: boolean } | undefined;
}
