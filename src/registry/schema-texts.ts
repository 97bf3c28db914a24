// The texts of schemas: their normal form, by which one is known again, what they refer to, and what stands between two of them.
import { AppError, assert } from '../core/errors.js';
import { canonicalAvro } from '../schema/avro-text.js';
import { avroBreaches, protobufBreaches } from '../schema/compatibility.js';
import { linkProto, type LinkedFile } from '../schema/protobuf/descriptors.js';
import { printProto } from '../schema/protobuf/proto-printer.js';
import type { CompatibilityLevel, RegisteredSchema, SchemaReference, SchemaType } from './registry-facade.js';
import { textKey, type RegistryState, type SchemaText } from './registry-state.js';

/** The text by which a schema is known; invalid-schema when it is none, or refers to what is not there. */
export function canonical(
  state: RegistryState,
  schema: string,
  schemaType: SchemaType,
  references: readonly SchemaReference[] = [],
): SchemaText {
  if (references.length > 0 && schemaType !== 'PROTOBUF') {
    throw new AppError('invalid-schema', `references between schemas of type ${schemaType} are not supported`, {
      hint: 'write the referenced types into the schema',
    });
  }
  switch (schemaType) {
    case 'AVRO':
      return { schemaType, schema: canonicalAvro(schema) };
    case 'JSON':
      return { schemaType, schema: canonicalJsonSchema(schema) };
    case 'PROTOBUF': {
      const text: SchemaText = { schemaType, ...(references.length === 0 ? {} : { references }), schema };
      const { file } = linked(state, text);
      if (file.messages.length === 0 && file.enums.length === 0)
        throw new AppError('invalid-schema', 'the Protobuf schema defines neither a message nor an enum');
      return { ...text, schema: printProto(file) };
    }
  }
}

function canonicalJsonSchema(text: string): string {
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema === 'boolean' || (typeof schema === 'object' && schema !== null && !Array.isArray(schema)))
      return JSON.stringify(schema);
  } catch (error) {
    throw new AppError('invalid-schema', 'the JSON schema is not JSON', { cause: error });
  }
  throw new AppError('invalid-schema', 'a JSON schema is an object or a boolean');
}

/** The texts that a schema refers to, and those that these refer to, by the names under which they do. */
export function importsOf(state: RegistryState, { references = [] }: SchemaText): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const take = (used: readonly SchemaReference[]) => {
    for (const { name, subject, version } of used) {
      const found = state.versionText(subject, version);
      if (found === undefined) {
        throw new AppError('invalid-schema', `the reference "${name}" leads nowhere`, {
          detail: `subject ${subject} has no version ${version}`,
        });
      }
      // A version refers only to what was there before it, so this ends.
      if (texts.has(name)) continue;
      texts.set(name, found.schema);
      take(found.references ?? []);
    }
  };
  take(references);
  return texts;
}

function linked(state: RegistryState, text: SchemaText): LinkedFile {
  assert(text.schemaType === 'PROTOBUF', 'only Protobuf is linked');
  const imports = importsOf(state, text);
  return linkProto(text.schema, (path) => imports.get(path));
}

/** What stands against a candidate; empty: nothing. */
export function breaches(
  state: RegistryState,
  level: CompatibilityLevel,
  candidate: SchemaText,
  live: readonly RegisteredSchema[],
): string[] {
  if (level === 'NONE') return [];
  const others = live.filter((registered) => registered.schemaType !== candidate.schemaType);
  if (others.length > 0) return [`version ${others[0]!.version} is a schema of type ${others[0]!.schemaType}`];
  switch (candidate.schemaType) {
    case 'AVRO':
      return avroBreaches(level, candidate.schema, live);
    case 'PROTOBUF': {
      const earlier = live.map((registered) => ({ version: registered.version, schema: linked(state, registered) }));
      return protobufBreaches(level, linked(state, candidate), earlier);
    }
    case 'JSON': {
      const changed = live.some((registered) => textKey(registered) !== textKey(candidate));
      return changed ? ['changes of JSON schemas are not compared here: only level NONE allows them'] : [];
    }
  }
}
