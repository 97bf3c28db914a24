// What the server may ask of the schema registry: the Schema Registry's own calls for subjects, versions, ids, levels and modes.
import type { CompatibilityLevel } from '../core/compatibility-level.js';

export type SchemaType = 'AVRO' | 'JSON' | 'PROTOBUF';

/** What may be changed. READONLY_OVERRIDE of all subjects counts before the mode of any; IMPORT takes ids and versions as they are given. */
export type RegistryMode = 'READWRITE' | 'READONLY' | 'READONLY_OVERRIDE' | 'IMPORT';
export const registryModes: readonly RegistryMode[] = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT'];

/** Which versions a question is about. Those that are deleted softly are still there, until they are deleted for good. */
export type Shown = 'live' | 'all' | 'deleted';

/** What the text of a schema names, and where it stands: of Protobuf the path of an import, of Avro a type. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface SchemaText {
  readonly schemaType: SchemaType;
  /** Never empty. */
  readonly references?: readonly SchemaReference[] | undefined;
  readonly schema: string;
}

export interface RegisteredSchema extends SchemaText {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  /** Softly. */
  readonly deleted?: true;
}

export interface SubjectVersion {
  readonly subject: string;
  readonly version: number;
}

/** A schema that somebody gives. */
export interface GivenSchema extends SchemaText {
  /** What it has to get; only IMPORT takes an id. */
  readonly id?: number | undefined;
  readonly version?: number | undefined;
  /** The order of members makes no other schema. */
  readonly normalize?: boolean | undefined;
}

export interface SchemaSearch {
  readonly prefix: string;
  readonly shown: Shown;
  /** Of each subject. */
  readonly latestOnly: boolean;
  readonly offset: number;
  readonly limit: number;
}

/**
 * Changes are durable before they resolve. Rejections: unknown-subject, unknown-schema (an id, or a version), invalid-schema,
 * incompatible-schema, operation-not-permitted (the mode forbids it), schema-in-use, already-deleted and not-deleted (softly).
 */
export interface RegistryFacade {
  subjects(prefix: string, shown: Shown): Promise<readonly string[]>;
  versions(subject: string, shown: Shown): Promise<readonly number[]>;
  version(subject: string, version: number | 'latest', shown: Shown): Promise<RegisteredSchema>;
  schemas(search: SchemaSearch): Promise<readonly RegisteredSchema[]>;
  /** Deleted or not. `maxId` is the highest that was ever given. */
  byId(id: number): Promise<SchemaText & { readonly maxId: number }>;
  usesOf(id: number, shown: Shown): Promise<readonly SubjectVersion[]>;
  /** Same text again: same id. */
  register(subject: string, given: GivenSchema): Promise<{ readonly id: number }>;
  /** The version under which exactly this schema is registered, else unknown-schema. */
  lookup(subject: string, given: GivenSchema, shown: Shown): Promise<RegisteredSchema>;
  /** The ids of the schemas that refer to a version. */
  referencedBy(subject: string, version: number | 'latest'): Promise<readonly number[]>;
  /** `all`: with those versions that the level names. */
  compatible(
    subject: string,
    version: number | 'latest' | 'all',
    given: GivenSchema,
  ): Promise<{ readonly is_compatible: boolean; readonly messages: readonly string[] }>;
  /** Of a subject its own one: null where it has none. `subject` null: that of subjects without one. */
  config(subject: string | null): Promise<CompatibilityLevel | null>;
  setConfig(subject: string | null, level: CompatibilityLevel): Promise<void>;
  /** The one that held; null: the subject had none. */
  resetConfig(subject: string | null): Promise<CompatibilityLevel | null>;
  mode(subject: string | null): Promise<RegistryMode | null>;
  /** `force`: IMPORT also where there are schemas. */
  setMode(subject: string | null, mode: RegistryMode, force: boolean): Promise<void>;
  resetMode(subject: string | null): Promise<RegistryMode | null>;
  /** `permanent`: for good, which has to follow a soft deletion. Gives the versions. */
  deleteSubject(subject: string, permanent: boolean): Promise<readonly number[]>;
  deleteVersion(subject: string, version: number | 'latest', permanent: boolean): Promise<number>;
}
