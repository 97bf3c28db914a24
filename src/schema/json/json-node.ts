// What a JSON schema is when it is compared.
import type { Effort } from '../effort.js';

export type JsonObject = Readonly<Record<string, unknown>>;
export type JsonTypeName = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
export type Criterion = 'allOf' | 'anyOf' | 'oneOf';

/** Parts are read when they are asked for: a schema may contain itself. */
export type JsonPart = () => JsonNode;

export type JsonNode =
  | { readonly kind: 'any' }
  | { readonly kind: 'never' }
  | {
      readonly kind: 'typed';
      readonly type: JsonTypeName;
      readonly raw: JsonObject;
      readonly part: (raw: unknown) => JsonPart;
    }
  | { readonly kind: 'values'; readonly raw: JsonObject }
  | { readonly kind: 'not'; readonly of: JsonPart }
  | { readonly kind: 'combined'; readonly criterion: Criterion; readonly parts: readonly JsonPart[] }
  /** What is compared by its text alone. */
  | { readonly kind: 'opaque'; readonly text: string };

/** How schemas inside of two others are compared. */
export interface PartComparison {
  readonly effort: Effort;
  /** Reasons; undefined: a schema that is not there, which allows everything. */
  readonly parts: (before: JsonPart | undefined, after: JsonPart | undefined, path: string) => readonly string[];
  readonly before: (raw: unknown) => JsonPart;
  readonly after: (raw: unknown) => JsonPart;
}
