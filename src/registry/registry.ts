// The schema registry: subjects, their versions, and ids that are global. It is a function of the sequence, as tables are: a change is
// a command in an append of the statements topic, and what it comes to (the id, the version, a refusal) is decided when the engine
// applies it, in the same transaction as whatever else the append makes. So a definition registers the schemas of its topic with
// itself or not at all, two processes give the same ids, and nothing is decided against a state that is not durable. The entries lie in
// the store; those of `_schemas` are derived from them, as records of a query are, for other registries and consumers to read.
// In memory stands what the open transaction has made of them; `reload` follows a rollback.
import { AppError, assert, unreachable } from '../core/errors.js';
import { Effort } from '../schema/effort.js';
import { compatibilityRules } from '../schema/compatibility.js';
import type {
  CompatibilityLevel,
  RegisteredSchema,
  RegistryFacade,
  SchemaReference,
  SchemaType,
} from './registry-facade.js';
import { RegistryState, sameText, type SchemaText } from './registry-state.js';
import { breaches, importsOf, readSchema, type ReadSchema } from './schema-texts.js';
import { fromEntry, toEntry, type RegistryEvent, type SchemaStore, type SchemaStoreEntry } from './schema-store.js';

/** A change, as the sequence holds it. */
export type RegistryCommand =
  | {
      readonly kind: 'register-schema';
      readonly subject: string;
      readonly schema: string;
      readonly schemaType: SchemaType;
      readonly references?: readonly SchemaReference[] | undefined;
      /** The rules of compatibility by which it is decided; absent: those of versions that did not say so. */
      readonly rules?: 2;
    }
  | { readonly kind: 'set-compatibility'; readonly subject: string | null; readonly level: CompatibilityLevel }
  | { readonly kind: 'delete-subject'; readonly subject: string };

export type RegistryOutcome =
  | { readonly kind: 'registered'; readonly id: number }
  | { readonly kind: 'compatibility-set' }
  | { readonly kind: 'subject-deleted'; readonly versions: readonly number[] };

interface RegisterOptions {
  readonly followsSource?: boolean;
  readonly asBefore?: boolean;
  readonly references?: readonly SchemaReference[] | undefined;
  /** Unbounded for schemas of our own. */
  readonly effort?: Effort | undefined;
}

export class Registry implements RegistryFacade {
  readonly #store: SchemaStore;
  readonly #submit: (command: RegistryCommand) => Promise<RegistryOutcome>;
  #state = new RegistryState();

  /** `submit` appends a command; it resolves with what applying it came to. */
  constructor(store: SchemaStore, submit: (command: RegistryCommand) => Promise<RegistryOutcome>) {
    this.#store = store;
    this.#submit = submit;
    this.reload();
  }

  // The engine's face: synchronous, in its open transaction.

  /** At start, and after a rollback. */
  reload(): void {
    this.#state = new RegistryState();
    for (const entry of this.#store.load()) applyTo(this.#state, entry);
  }

  /** Throws what the command is refused with; then the transaction has to be rolled back. */
  apply(command: RegistryCommand): RegistryOutcome {
    switch (command.kind) {
      case 'register-schema': {
        const { subject, schema, schemaType, references, rules } = command;
        const asBefore = rules === undefined;
        return {
          kind: 'registered',
          id: this.registerNow(subject, schema, schemaType, { references, asBefore, effort: new Effort() }),
        };
      }
      case 'set-compatibility':
        this.#put({ kind: 'config', subject: command.subject, level: command.level });
        return { kind: 'compatibility-set' };
      case 'delete-subject': {
        const { subject } = command;
        for (const { version } of this.#live(subject)) this.#assertUnused(subject, version);
        return { kind: 'subject-deleted', versions: this.#delete(subject) };
      }
      default:
        return unreachable(command);
    }
  }

  /**
   * The id of the schema under this subject. The same text again: the same id. One that `followsSource` is registered whatever the level
   * says: the source's table has changed, and its rows come in that form.
   */
  registerNow(
    subject: string,
    schema: string,
    schemaType: SchemaType,
    { followsSource = false, asBefore = false, references, effort = Effort.unbounded() }: RegisterOptions = {},
  ): number {
    const state = this.#state;
    const read: ReadSchema =
      asBefore && schemaType !== 'PROTOBUF'
        ? { text: { schemaType, schema }, said: undefined }
        : readSchema(state, schema, schemaType, references, effort);
    const { text } = read;
    const live = state.live(subject);
    const same = live.find((registered) => sameText(registered, text));
    if (same) return same.id;
    const level = state.level(subject);
    const messages = followsSource ? [] : breaches(state, read, { level, live, effort, asBefore });
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
    this.#put({ kind: 'schema', subject, version: state.nextVersion(subject), id, ...text, deleted: false });
    return id;
  }

  /** An entry that an append holds: earlier versions of this program wrote them so. */
  takeNow(entry: SchemaStoreEntry): void {
    this.#store.put(entry);
    applyTo(this.#state, entry);
  }

  /** The subject goes with its topic; nothing where there is none. What refers to it goes on to find it. */
  dropNow(subject: string): void {
    if (this.#state.live(subject).length > 0) this.#delete(subject);
  }

  #delete(subject: string): readonly number[] {
    const versions = this.#live(subject).map(({ version }) => version);
    if (this.#state.hasOwnLevel(subject)) this.#put({ kind: 'config', subject, level: null });
    this.#put({ kind: 'subject-deleted', subject, version: versions.at(-1)! });
    return versions;
  }

  /** The text behind an id, from memory: what decoders resolve with. Throws unknown-schema. */
  schemaText(id: number): string {
    return this.#text(id).schema;
  }

  /** What the text behind an id imports, by path. */
  schemaImports(id: number): ReadonlyMap<string, string> {
    return importsOf(this.#state, this.#text(id));
  }

  /** The texts of a subject's versions of this type, the newest first. */
  texts(subject: string, schemaType: SchemaType): readonly string[] {
    const live = this.#state.live(subject).filter((registered) => registered.schemaType === schemaType);
    return live.map(({ schema }) => schema).toReversed();
  }

  #assertUnused(subject: string, version: number): void {
    const ids = this.#state.referring(subject, version);
    if (ids.length === 0) return;
    throw new AppError('schema-in-use', `version ${version} of subject ${subject} is referred to`, {
      detail: `by the schemas with the ids ${ids.join(', ')}`,
    });
  }

  #put(event: RegistryEvent): void {
    this.#store.put(toEntry(event));
    this.#state.apply(event);
  }

  // The facade.

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

  async register(
    subject: string,
    schema: string,
    schemaType: SchemaType,
    references?: readonly SchemaReference[],
  ): Promise<{ readonly id: number }> {
    const { text } = readSchema(this.#state, schema, schemaType, references);
    // What is registered already is no change.
    const same = this.#state.live(subject).find((registered) => sameText(registered, text));
    if (same) return { id: same.id };
    const outcome = await this.#submit({ kind: 'register-schema', subject, ...text, rules: 2 });
    assert(outcome.kind === 'registered', `registering came to ${outcome.kind}`);
    return { id: outcome.id };
  }

  async lookup(
    subject: string,
    schema: string,
    schemaType: SchemaType,
    references?: readonly SchemaReference[],
  ): Promise<RegisteredSchema> {
    const { text } = readSchema(this.#state, schema, schemaType, references);
    const found = this.#live(subject).findLast((registered) => sameText(registered, text));
    if (!found) throw new AppError('unknown-schema', `subject ${subject} has no such schema`);
    return found;
  }

  async referencedBy(subject: string, version: number | 'latest'): Promise<readonly number[]> {
    return this.#state.referring(subject, this.#version(subject, version).version);
  }

  async compatible(
    subject: string,
    version: number | 'latest',
    schema: string,
    schemaType: SchemaType,
    references?: readonly SchemaReference[],
  ) {
    const against = this.#version(subject, version);
    const state = this.#state;
    const effort = new Effort();
    const messages = breaches(state, readSchema(state, schema, schemaType, references, effort), {
      level: state.level(subject),
      live: [against],
      effort,
    });
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
    await this.#submit({ kind: 'set-compatibility', subject, level });
  }

  async deleteSubject(subject: string): Promise<readonly number[]> {
    this.#live(subject);
    const outcome = await this.#submit({ kind: 'delete-subject', subject });
    assert(outcome.kind === 'subject-deleted', `deleting a subject came to ${outcome.kind}`);
    return outcome.versions;
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
