// The text of a schema that grows out of its earlier versions: the numbers of Protobuf's fields come from there.
import type { Registry } from '../registry/registry.js';
import type { SchemaType } from '../registry/registry-facade.js';

export interface RegisteredText {
  readonly text: string;
  readonly type: SchemaType;
}

/** Columns that a version has already are that version, so a table that goes back and forth makes no new ones. */
export function grownText(registry: Registry, subject: string, make: (previous?: string) => string): string {
  const texts = registry.texts(subject, 'PROTOBUF');
  return texts.find((text) => make(text) === text) ?? make(texts[0]);
}
