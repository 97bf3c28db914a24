// Where the registry keeps its entries: documents of the store, from which they also go to the compacted topic `_schemas`; a list in
// tests. Keys and values have the shape of Confluent's own topic, so either registry can take over the other's.
import { AppError } from '../core/errors.js';
import type { CompatibilityLevel } from '../core/compatibility-level.js';
import { registryModes, type RegistryMode, type SchemaReference, type SchemaType } from './registry-facade.js';

/** One record of the topic: JSON texts. The newest per key counts; value null: the key is gone. */
export interface SchemaStoreEntry {
  readonly key: string;
  readonly value: string | null;
}

export interface SchemaStore {
  /** The newest entry of each key, in any order. */
  load(): readonly SchemaStoreEntry[];
  /** In the open transaction; durable with it. */
  put(entry: SchemaStoreEntry): void;
  /** The highest id that was given to an entry that is gone; 0: none. No id is given twice. */
  maxId(): number;
  keepMaxId(id: number): void;
}

/** An entry's meaning. */
export type RegistryEvent =
  | {
      readonly kind: 'schema';
      readonly subject: string;
      readonly version: number;
      readonly id: number;
      readonly schemaType: SchemaType;
      readonly references?: readonly SchemaReference[] | undefined;
      readonly schema: string;
      readonly deleted: boolean;
    }
  /** A version that is gone for good. */
  | { readonly kind: 'schema-removed'; readonly subject: string; readonly version: number }
  /** Versions up to this one are deleted; their ids go on to mean what they meant. */
  | { readonly kind: 'subject-deleted'; readonly subject: string; readonly version: number }
  /** The versions are gone for good, and so is what says that they are deleted. */
  | { readonly kind: 'deletion-forgotten'; readonly subject: string }
  /** `subject` null: the level of subjects that have none. `level` null: not set any more. */
  | { readonly kind: 'config'; readonly subject: string | null; readonly level: CompatibilityLevel | null }
  | { readonly kind: 'mode'; readonly subject: string | null; readonly mode: RegistryMode | null };

/** The members' order is part of the format: compaction compares keys byte by byte. */
export function toEntry(event: RegistryEvent): SchemaStoreEntry {
  const { subject } = event;
  switch (event.kind) {
    case 'schema': {
      const { version, id, schema, schemaType, references, deleted } = event;
      const value = {
        subject,
        version,
        id,
        ...(schemaType === 'AVRO' ? {} : { schemaType }),
        ...(references === undefined ? {} : { references }),
        schema,
        deleted,
      };
      return { key: schemaKey(event), value: JSON.stringify(value) };
    }
    case 'schema-removed':
      return { key: schemaKey(event), value: null };
    case 'subject-deleted':
      return {
        key: JSON.stringify({ keytype: 'DELETE_SUBJECT', subject, magic: 0 }),
        value: JSON.stringify({ subject, version: event.version }),
      };
    case 'deletion-forgotten':
      return { key: JSON.stringify({ keytype: 'DELETE_SUBJECT', subject, magic: 0 }), value: null };
    case 'mode':
      return {
        key: JSON.stringify({ keytype: 'MODE', subject, magic: 0 }),
        value: event.mode === null ? null : JSON.stringify({ mode: event.mode }),
      };
    case 'config':
      return {
        key: JSON.stringify({ keytype: 'CONFIG', subject, magic: 0 }),
        value: event.level === null ? null : JSON.stringify({ compatibilityLevel: event.level }),
      };
  }
}

function schemaKey({ subject, version }: { readonly subject: string; readonly version: number }): string {
  return JSON.stringify({ keytype: 'SCHEMA', subject, version, magic: 1 });
}

interface EntryKey {
  readonly keytype: string;
  readonly subject?: string | null;
  readonly version?: number;
}
interface EntryValue {
  readonly version?: number;
  readonly id?: number;
  readonly schemaType?: SchemaType;
  readonly references?: readonly SchemaReference[];
  readonly schema?: string;
  readonly deleted?: boolean;
  readonly compatibilityLevel?: CompatibilityLevel;
  readonly mode?: string;
}

/** Undefined for entries of Confluent's registry that say nothing about schemas (NOOP, CONTEXT, CLEAR_SUBJECT). */
export function fromEntry(entry: SchemaStoreEntry): RegistryEvent | undefined {
  const key = parse<EntryKey>(entry.key, entry);
  const value = entry.value === null ? null : parse<EntryValue>(entry.value, entry);
  const { subject } = key;
  switch (key.keytype) {
    case 'SCHEMA': {
      if (typeof subject !== 'string' || key.version === undefined) return refuse(entry);
      if (value === null) return { kind: 'schema-removed', subject, version: key.version };
      if (value.id === undefined || value.schema === undefined) return refuse(entry);
      const { id, schema, schemaType = 'AVRO', references = [], deleted = false } = value;
      const used = references.length === 0 ? {} : { references };
      return { kind: 'schema', subject, version: key.version, id, schemaType, ...used, schema, deleted };
    }
    case 'DELETE_SUBJECT':
      if (typeof subject !== 'string') return refuse(entry);
      if (value === null) return { kind: 'deletion-forgotten', subject };
      return value.version === undefined ? undefined : { kind: 'subject-deleted', subject, version: value.version };
    case 'CONFIG':
      return { kind: 'config', subject: subject ?? null, level: value?.compatibilityLevel ?? null };
    case 'MODE': {
      // What another registry has beside ours (FORWARD) lets nothing be changed here.
      const mode = registryModes.find((known) => known === value?.mode) ?? 'READONLY';
      return { kind: 'mode', subject: subject ?? null, mode: value?.mode === undefined ? null : mode };
    }
    case 'NOOP':
    case 'CONTEXT':
    case 'CLEAR_SUBJECT':
      return undefined;
    default:
      return refuse(entry);
  }
}

function parse<T>(text: string, entry: SchemaStoreEntry): T {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as T;
  } catch (error) {
    throw new AppError('log-corrupt', 'an entry of the schema registry is not JSON', {
      detail: entry.key,
      cause: error,
    });
  }
  return refuse(entry);
}

function refuse(entry: SchemaStoreEntry): never {
  throw new AppError('log-foreign', 'the schema registry holds an entry that writethrough does not know', {
    detail: `key ${entry.key}, value ${entry.value ?? 'null'}`.slice(0, 500),
  });
}
