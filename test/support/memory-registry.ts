// A schema registry over a list of entries: commands are applied one after the other, each in a transaction that is rolled back where it
// fails, as the engine does. Its methods are the facade's, in fewer words.
import { Registry, type RegistryCommand } from '../../src/registry/registry.js';
import type { CompatibilityLevel } from '../../src/core/compatibility-level.js';
import type {
  GivenSchema,
  RegisteredSchema,
  SchemaReference,
  SchemaType,
  Shown,
} from '../../src/registry/registry-facade.js';
import { RegistryService } from '../../src/registry/registry-service.js';
import type { SchemaStore, SchemaStoreEntry } from '../../src/registry/schema-store.js';

export interface MemoryStore extends SchemaStore {
  entries: SchemaStoreEntry[];
}

export function memoryStore(entries: readonly SchemaStoreEntry[] = [], highest = 0): MemoryStore {
  let max = highest;
  return {
    entries: [...entries],
    load() {
      // The newest of each key; those without a value are gone.
      return compacted(this.entries).filter(({ value, key }) => value !== null || !key.startsWith('{'));
    },
    put(entry) {
      this.entries.push(entry);
    },
    maxId: () => max,
    keepMaxId: (id) => {
      max = id;
    },
  };
}

/** The newest entry per key, as compaction leaves the topic. */
export function compacted(entries: readonly SchemaStoreEntry[]): SchemaStoreEntry[] {
  const newest = new Map(entries.map((entry, i) => [entry.key, i]));
  return entries.filter((entry, i) => newest.get(entry.key) === i);
}

export interface MemoryRegistryOptions {
  readonly commands?: RegistryCommand[];
  readonly usedBy?: (subject: string) => string | undefined;
  /** Called between the check of a command and its application. */
  readonly before?: (command: RegistryCommand) => void;
}

export class MemoryRegistry extends Registry {
  readonly service: RegistryService;

  constructor(over: MemoryStore, { commands = [], usedBy, before }: MemoryRegistryOptions = {}) {
    super(over, usedBy);
    this.service = new RegistryService(this, async (command) => {
      await Promise.resolve();
      before?.(command);
      commands.push(command);
      const { length } = over.entries;
      try {
        return this.apply(command);
      } catch (error) {
        over.entries.length = length;
        this.reload();
        throw error;
      }
    });
  }

  subjects = (shown: Shown = 'live') => this.service.subjects('', shown);
  versions = (subject: string, shown: Shown = 'live') => this.service.versions(subject, shown);
  version = (subject: string, version: number | 'latest', shown: Shown = 'live'): Promise<RegisteredSchema> =>
    this.service.version(subject, version, shown);
  byId = async (id: number) => ({ ...(await this.service.byId(id)), subjects: await this.service.usesOf(id, 'live') });
  register = (subject: string, schema: string, schemaType: SchemaType, references?: readonly SchemaReference[]) =>
    this.service.register(subject, given(schema, schemaType, references));
  lookup = (subject: string, schema: string, schemaType: SchemaType) =>
    this.service.lookup(subject, given(schema, schemaType), 'live');
  referencedBy = (subject: string, version: number | 'latest') => this.service.referencedBy(subject, version);
  compatible = (
    subject: string,
    version: number | 'latest' | 'all',
    schema: string,
    schemaType: SchemaType,
    references?: readonly SchemaReference[],
  ) => this.service.compatible(subject, version, given(schema, schemaType, references));
  /** The level that counts. */
  config = async (subject: string | null): Promise<CompatibilityLevel> => this.state.level(subject);
  setConfig = (subject: string | null, level: CompatibilityLevel) => this.service.setConfig(subject, level);
  deleteSubject = (subject: string, permanent = false) => this.service.deleteSubject(subject, permanent);
  deleteVersion = (subject: string, version: number | 'latest', permanent = false) =>
    this.service.deleteVersion(subject, version, permanent);
}

function given(schema: string, schemaType: SchemaType, references?: readonly SchemaReference[]): GivenSchema {
  return { schema, schemaType, references };
}
