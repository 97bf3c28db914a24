// The texts of schemas: their normal form, by which one is known again, what they refer to, and what stands between two of them.
import { bounds } from '../core/bounds.js';
import { AppError, assert } from '../core/errors.js';
import { avroUnreadable } from '../schema/avro/avro-compatibility.js';
import { parseAvro } from '../schema/avro/avro-parser.js';
import type { AvroType } from '../schema/avro/avro-type.js';
import { canonicalAvro, orderedAvro } from '../schema/avro-text.js';
import { breachesOf } from '../schema/compatibility.js';
import { avroUnreadableBefore } from '../schema/earlier-avro-rule.js';
import { Effort } from '../schema/effort.js';
import { jsonUnreadable } from '../schema/json/json-compatibility.js';
import { JsonSchema } from '../schema/json/json-schema.js';
import { linkProto, type LinkedFile } from '../schema/protobuf/descriptors.js';
import { protobufUnreadable } from '../schema/protobuf/differences.js';
import { printProto } from '../schema/protobuf/proto-printer.js';
import type { CompatibilityLevel } from '../core/compatibility-level.js';
import type { GivenSchema, RegisteredSchema, SchemaReference, SchemaText } from './registry-facade.js';
import { sameText, type RegistryState } from './registry-state.js';

/** A schema that has been read: the text by which it is known, and what it says. */
export interface ReadSchema {
  readonly text: SchemaText;
  readonly said: AvroType | LinkedFile | JsonSchema | undefined;
}

/** invalid-schema when the text is no schema, or refers to what is not there. */
export function readSchema(
  state: RegistryState,
  given: Omit<GivenSchema, 'id' | 'version'>,
  effort: Effort,
): ReadSchema {
  const read = readPlain(state, given, effort);
  return given.normalize ? { ...read, text: { ...read.text, schema: orderedText(read.text) } } : read;
}

function readPlain(state: RegistryState, given: SchemaText, effort: Effort): ReadSchema {
  const { schema, schemaType, references = [] } = given;
  effort.admit(schema);
  const text: SchemaText = { schemaType, ...(references.length === 0 ? {} : { references }), schema };
  assertSameType(state, text);
  switch (schemaType) {
    case 'AVRO':
      return {
        said: parseAvro(schema, { imports: importsOf(state, text).values(), effort }),
        text: { ...text, schema: canonicalAvro(schema) },
      };
    case 'JSON': {
      const said = new JsonSchema(schema, { imports: importsOf(state, text), effort });
      // Whatever it consists of is looked at, so that what cannot be compared is not registered.
      jsonUnreadable(said, said, effort);
      return { said, text: { ...text, schema: JSON.stringify(JSON.parse(schema)) } };
    }
    case 'PROTOBUF': {
      const said = linked(state, text, effort);
      const { file } = said;
      if (file.messages.length === 0 && file.enums.length === 0)
        throw new AppError('invalid-schema', 'the Protobuf schema defines neither a message nor an enum');
      return { said, text: { ...text, schema: printProto(file) } };
    }
  }
}

/** The text with what has no order in one order. The normal form of Protobuf has none that could differ. */
export function orderedText({ schemaType, schema }: SchemaText): string {
  if (schemaType === 'PROTOBUF') return schema;
  return schemaType === 'AVRO' ? orderedAvro(schema) : JSON.stringify(sorted(JSON.parse(schema)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

function assertSameType(state: RegistryState, { schemaType, references = [] }: SchemaText): void {
  for (const { name, subject, version } of references) {
    const found = state.versionText(subject, version);
    if (found !== undefined && found.schemaType !== schemaType) {
      throw new AppError('invalid-schema', `the reference "${name}" leads to a schema of another type`, {
        detail: `version ${version} of subject ${subject} is ${found.schemaType}`,
      });
    }
  }
}

/** The texts that a schema refers to, and those that these refer to, by the names under which they do; each behind those that it needs. */
export function importsOf(state: RegistryState, { references = [] }: SchemaText): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const seen = new Set<string>();
  const take = (used: readonly SchemaReference[]) => {
    for (const { name, subject, version } of used) {
      if (seen.has(name)) continue;
      seen.add(name);
      const found = state.versionText(subject, version);
      if (found === undefined) {
        throw new AppError('invalid-schema', `the reference "${name}" leads nowhere`, {
          detail: `subject ${subject} has no version ${version}`,
        });
      }
      if (seen.size > bounds.schemaReferences.value)
        throw new AppError('invalid-schema', `the schema refers to more than ${bounds.schemaReferences.value} others`);
      take(found.references ?? []);
      texts.set(name, found.schema);
    }
  };
  take(references);
  return texts;
}

function linked(state: RegistryState, text: SchemaText, effort: Effort): LinkedFile {
  assert(text.schemaType === 'PROTOBUF', 'only Protobuf is linked');
  const imports = importsOf(state, text);
  return linkProto(text.schema, (path) => imports.get(path), effort);
}

export interface Comparing {
  readonly level: CompatibilityLevel;
  readonly live: readonly RegisteredSchema[];
  readonly effort?: Effort | undefined;
  /** The rules of earlier versions of this program: those of what the sequence holds of them. */
  readonly asBefore?: boolean | undefined;
}

/** What stands against a candidate; empty: nothing. */
export function breaches(state: RegistryState, { text: candidate, said }: ReadSchema, comparing: Comparing): string[] {
  const { level, live, effort = new Effort(), asBefore = false } = comparing;
  if (level === 'NONE') return [];
  const others = live.filter((registered) => registered.schemaType !== candidate.schemaType);
  if (others.length > 0) return [`version ${others[0]!.version} is a schema of type ${others[0]!.schemaType}`];
  const earlier = <T>(read: (registered: RegisteredSchema) => T) =>
    live.map((registered) => ({ version: registered.version, schema: () => read(registered) }));
  switch (candidate.schemaType) {
    case 'AVRO': {
      if (asBefore)
        return breachesOf(
          level,
          candidate.schema,
          earlier(({ schema }) => schema),
          avroUnreadableBefore,
        );
      const read = (text: SchemaText): AvroType =>
        parseAvro(text.schema, { imports: importsOf(state, text).values(), effort, anyDefault: true });
      return breachesOf(level, said as AvroType, earlier(read), (reader, writer) =>
        avroUnreadable(reader, writer, effort),
      );
    }
    case 'PROTOBUF': {
      const read = (text: SchemaText) => linked(state, text, effort);
      return breachesOf(level, said as LinkedFile, earlier(read), (reader, writer) =>
        protobufUnreadable(reader, writer, effort),
      );
    }
    case 'JSON': {
      if (asBefore) {
        const changed = live.some((registered) => !sameText(registered, candidate));
        return changed ? ['changes of JSON schemas are not compared here: only level NONE allows them'] : [];
      }
      const read = (text: SchemaText) =>
        new JsonSchema(text.schema, { imports: importsOf(state, text), effort, lenient: true });
      return breachesOf(level, said as JsonSchema, earlier(read), (reader, writer) =>
        jsonUnreadable(reader, writer, effort),
      );
    }
  }
}
