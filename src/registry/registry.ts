// The schema registry: subjects, their versions, and ids that are global. Entries are durable before an id is given out, since
// records that carry it may outlive everything else; the state in memory follows what is durable. Changes run one at a time.
// After an append that failed, its outcome is unknown, so the entries are loaded again before anything else is decided.
import { AppError } from '../core/errors.js';
import { canonicalAvro } from '../schema/avro-text.js';
import { avroBreaches, compatibilityRules } from '../schema/compatibility.js';
import type { CompatibilityLevel, RegisteredSchema, RegistryFacade, SchemaType } from './registry-facade.js';
import { RegistryState, type SchemaText } from './registry-state.js';
import { fromEntry, toEntry, type RegistryEvent, type SchemaStore, type SchemaStoreEntry } from './schema-store.js';

export interface Registry extends RegistryFacade {
  /** The text behind an id, from memory: what decoders resolve with. Throws unknown-schema. */
  schemaText(id: number): string;
  /** Takes in an entry that another process appended. Idempotent. */
  apply(entry: SchemaStoreEntry): void;
}

/** Loads the entries and opens the registry over them. */
export async function openRegistry(store: SchemaStore): Promise<Registry> {
  const registry = new StoredRegistry(store);
  await registry.reload();
  return registry;
}

class StoredRegistry implements Registry {
  readonly #store: SchemaStore;
  #state = new RegistryState();
  /** An append failed: the state may lack an entry that is durable. */
  #uncertain = false;
  /** The tail of the queue of changes; never rejects. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: SchemaStore) {
    this.#store = store;
  }

  async reload(): Promise<void> {
    const state = new RegistryState();
    for (const entry of await this.#store.load()) applyTo(state, entry);
    this.#state = state;
    this.#uncertain = false;
  }

  apply(entry: SchemaStoreEntry): void {
    applyTo(this.#state, entry);
  }

  schemaText(id: number): string {
    return this.#text(id).schema;
  }

  async subjects(): Promise<readonly string[]> {
    return this.#state.subjects();
  }

  async versions(subject: string): Promise<readonly number[]> {
    return this.#live(subject).map(({ version }) => version);
  }

  async version(subject: string, version: number | 'latest'): Promise<RegisteredSchema> {
    return this.#version(subject, version);
  }

  async byId(id: number) {
    const text = this.#text(id);
    const subjects = this.#state.subjects().flatMap((subject) =>
      this.#state
        .live(subject)
        .filter((registered) => registered.id === id)
        .map(({ version }) => ({ subject, version })),
    );
    return { ...text, subjects };
  }

  async register(subject: string, schema: string, schemaType: SchemaType): Promise<{ readonly id: number }> {
    const text = canonical(schema, schemaType);
    return this.#change(async () => {
      const state = this.#state;
      const live = state.live(subject);
      const same = live.find((registered) => sameText(registered, text));
      if (same) return { id: same.id };
      const messages = breaches(state.level(subject), text, live);
      if (messages.length > 0) {
        throw new AppError(
          'incompatible-schema',
          `the schema is not compatible with earlier versions of subject ${subject}`,
          {
            detail: messages.join('; '),
            hint: `the level is ${state.level(subject)}; PUT /config/${subject} changes it`,
          },
        );
      }
      const id = state.idOf(text) ?? state.nextId;
      await this.#append({ kind: 'schema', subject, version: state.nextVersion(subject), id, ...text, deleted: false });
      return { id };
    });
  }

  async lookup(subject: string, schema: string, schemaType: SchemaType): Promise<RegisteredSchema> {
    const text = canonical(schema, schemaType);
    const found = this.#live(subject).findLast((registered) => sameText(registered, text));
    if (!found) throw new AppError('unknown-schema', `subject ${subject} has no such schema`);
    return found;
  }

  async compatible(subject: string, version: number | 'latest', schema: string, schemaType: SchemaType) {
    const against = this.#version(subject, version);
    const messages = breaches(this.#state.level(subject), canonical(schema, schemaType), [against]);
    return { is_compatible: messages.length === 0, messages };
  }

  async config(subject: string | null): Promise<CompatibilityLevel> {
    return this.#state.level(subject);
  }

  async setConfig(subject: string | null, level: CompatibilityLevel): Promise<void> {
    if (!compatibilityRules.includes(level)) {
      throw new AppError('bad-request', `there is no compatibility level ${JSON.stringify(level)}`, {
        hint: compatibilityRules.join(', '),
      });
    }
    await this.#change(() => this.#append({ kind: 'config', subject, level }));
  }

  async deleteSubject(subject: string): Promise<readonly number[]> {
    return this.#change(async () => {
      const versions = this.#live(subject).map(({ version }) => version);
      // In this order, so that after a crash between the two the subject is still there to be deleted again.
      if (this.#state.hasOwnLevel(subject)) await this.#append({ kind: 'config', subject, level: null });
      await this.#append({ kind: 'subject-deleted', subject, version: versions.at(-1)! });
      return versions;
    });
  }

  /** Runs one change behind the ones before it. */
  #change<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(async () => {
      if (this.#uncertain) await this.reload();
      return step();
    });
    // The caller gets the rejection; the queue goes on.
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #append(event: RegistryEvent): Promise<void> {
    try {
      await this.#store.append(toEntry(event));
    } catch (error) {
      this.#uncertain = true;
      throw error;
    }
    this.#state.apply(event);
  }

  #text(id: number): SchemaText {
    const text = this.#state.text(id);
    if (!text) throw new AppError('unknown-schema', `the schema registry has no schema with id ${id}`);
    return text;
  }

  #live(subject: string): RegisteredSchema[] {
    const live = this.#state.live(subject);
    if (live.length === 0) throw new AppError('unknown-subject', `the schema registry has no subject ${subject}`);
    return live;
  }

  #version(subject: string, version: number | 'latest'): RegisteredSchema {
    const live = this.#live(subject);
    const found = version === 'latest' ? live.at(-1) : live.find((registered) => registered.version === version);
    if (!found) throw new AppError('unknown-schema', `subject ${subject} has no version ${version}`);
    return found;
  }
}

function applyTo(state: RegistryState, entry: SchemaStoreEntry): void {
  const event = fromEntry(entry);
  if (event) state.apply(event);
}

/** The text by which a schema is known; invalid-schema when it is none. */
function canonical(schema: string, schemaType: SchemaType): SchemaText {
  switch (schemaType) {
    case 'AVRO':
      return { schemaType, schema: canonicalAvro(schema) };
    case 'JSON':
      return { schemaType, schema: canonicalJsonSchema(schema) };
    case 'PROTOBUF':
      throw new AppError('invalid-schema', 'Protobuf schemas are not supported', {
        hint: 'register an AVRO or JSON schema',
      });
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

function sameText(a: SchemaText, b: SchemaText): boolean {
  return a.schemaType === b.schemaType && a.schema === b.schema;
}

function breaches(level: CompatibilityLevel, candidate: SchemaText, live: readonly RegisteredSchema[]): string[] {
  if (level === 'NONE') return [];
  const others = live.filter((registered) => registered.schemaType !== candidate.schemaType);
  if (others.length > 0) return [`version ${others[0]!.version} is a schema of type ${others[0]!.schemaType}`];
  if (candidate.schemaType === 'AVRO') return avroBreaches(level, candidate.schema, live);
  const changed = live.some((registered) => !sameText(registered, candidate));
  return changed ? ['changes of JSON schemas are not compared here: only level NONE allows them'] : [];
}
