// What the server may ask of the schema registry: the Schema Registry's own calls for subjects, versions and ids.

export type SchemaType = 'AVRO' | 'JSON' | 'PROTOBUF';
export type CompatibilityLevel =
  'NONE' | 'BACKWARD' | 'BACKWARD_TRANSITIVE' | 'FORWARD' | 'FORWARD_TRANSITIVE' | 'FULL' | 'FULL_TRANSITIVE';

/** What the text of a schema names, and where it stands: of Protobuf the path of an import. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface RegisteredSchema {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schemaType: SchemaType;
  readonly references?: readonly SchemaReference[] | undefined;
  readonly schema: string;
}

export interface RegistryFacade {
  subjects(): Promise<readonly string[]>;
  versions(subject: string): Promise<readonly number[]>;
  /** `version` a number or 'latest'. Rejects unknown-subject, unknown-schema. */
  version(subject: string, version: number | 'latest'): Promise<RegisteredSchema>;
  byId(id: number): Promise<{
    readonly schema: string;
    readonly schemaType: SchemaType;
    readonly references?: readonly SchemaReference[] | undefined;
    readonly subjects: readonly { readonly subject: string; readonly version: number }[];
  }>;
  /** Durable before it resolves. Same text again: same id. Rejects invalid-schema, incompatible-schema. */
  register(
    subject: string,
    schema: string,
    schemaType: SchemaType,
    references?: readonly SchemaReference[],
  ): Promise<{ readonly id: number }>;
  /** The version under which exactly this schema is registered, else unknown-schema. */
  lookup(
    subject: string,
    schema: string,
    schemaType: SchemaType,
    references?: readonly SchemaReference[],
  ): Promise<RegisteredSchema>;
  /** The ids of the schemas that refer to a version. */
  referencedBy(subject: string, version: number | 'latest'): Promise<readonly number[]>;
  compatible(
    subject: string,
    version: number | 'latest',
    schema: string,
    schemaType: SchemaType,
    references?: readonly SchemaReference[],
  ): Promise<{ readonly is_compatible: boolean; readonly messages: readonly string[] }>;
  config(subject: string | null): Promise<CompatibilityLevel>;
  setConfig(subject: string | null, level: CompatibilityLevel): Promise<void>;
  /** Rejects schema-in-use. */
  deleteSubject(subject: string): Promise<readonly number[]>;
}
