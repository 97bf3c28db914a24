// The schema registry: subjects, their versions, and ids that are global. It is a function of the sequence, as tables are: a change is
// a command in an append of the statements topic, and what it comes to (the id, the version, a refusal) is decided when the engine
// applies it, in the same transaction as whatever else the append makes. So a definition registers the schemas of its topic with
// itself or not at all, two processes give the same ids, and nothing is decided against a state that is not durable. The entries lie in
// the store; those of `_schemas` are derived from them, as records of a query are, for other registries and consumers to read.
// In memory stands what the open transaction has made of them; `reload` follows a rollback.
// What is asked, and that commands are appended, is registry-service.ts.
import { createHash } from 'node:crypto';
import { AppError, unreachable } from '../core/errors.js';
import { Effort } from '../schema/effort.js';
import type { CompatibilityLevel } from '../core/compatibility-level.js';
import type {
  RegisteredSchema,
  RegistryMode,
  SchemaReference,
  SchemaText,
  SchemaType,
  Shown,
} from './registry-facade.js';
import { RegistryState, sameText } from './registry-state.js';
import { breaches, type Comparing, importsOf, readSchema, type ReadSchema } from './schema-texts.js';
import { fromEntry, toEntry, type RegistryEvent, type SchemaStore, type SchemaStoreEntry } from './schema-store.js';

/** A change, as the sequence holds it. */
export type RegistryCommand =
  | {
      readonly kind: 'register-schema';
      readonly subject: string;
      readonly schema: string;
      readonly schemaType: SchemaType;
      readonly references?: readonly SchemaReference[] | undefined;
      readonly id?: number | undefined;
      readonly version?: number | undefined;
      /**
       * What stood in the subject when the schema was read and compared (`standing`), which is done before the command is appended, once
       * and in bounds: applying it only asks whether that still holds. Absent: a command of an earlier version, which is decided as then.
       */
      readonly checked?: string | undefined;
    }
  /** `level` null: that of the others. */
  | { readonly kind: 'set-compatibility'; readonly subject: string | null; readonly level: CompatibilityLevel | null }
  | {
      readonly kind: 'set-registry-mode';
      readonly subject: string | null;
      readonly mode: RegistryMode | null;
      readonly force?: boolean;
    }
  | { readonly kind: 'delete-subject'; readonly subject: string; readonly permanent?: boolean }
  | {
      readonly kind: 'delete-schema-version';
      readonly subject: string;
      readonly version: number | 'latest';
      readonly permanent: boolean;
    };

export type RegistryOutcome =
  | { readonly kind: 'registered'; readonly id: number }
  /** Something else stands in the subject by now: it has to be compared again. */
  | { readonly kind: 'registry-changed' }
  | { readonly kind: 'compatibility-set'; readonly before?: CompatibilityLevel | null }
  | { readonly kind: 'registry-mode-set'; readonly before: RegistryMode | null }
  | { readonly kind: 'subject-deleted'; readonly versions: readonly number[] };

export interface RegisterOptions {
  readonly followsSource?: boolean;
  readonly asBefore?: boolean;
  readonly references?: readonly SchemaReference[] | undefined;
}

interface GivenNumbers {
  readonly id?: number | undefined;
  readonly version?: number | undefined;
}

export class Registry {
  readonly #store: SchemaStore;
  readonly #usedBy: (subject: string) => string | undefined;
  #state: RegistryState;

  /** `usedBy`: what else needs the schemas of a subject; it is a function of the sequence, too. */
  constructor(store: SchemaStore, usedBy: (subject: string) => string | undefined = () => undefined) {
    this.#store = store;
    this.#usedBy = usedBy;
    this.#state = this.#loaded();
  }

  /** What the open transaction has made of it. */
  get state(): RegistryState {
    return this.#state;
  }

  /** At start, and after a rollback. */
  reload(): void {
    this.#state = this.#loaded();
  }

  #loaded(): RegistryState {
    const state = new RegistryState(this.#store.maxId());
    for (const entry of this.#store.load()) applyTo(state, entry);
    return state;
  }

  /** Throws what the command is refused with; then the transaction has to be rolled back. */
  apply(command: RegistryCommand): RegistryOutcome {
    const state = this.#state;
    switch (command.kind) {
      case 'register-schema':
        return this.#register(command);
      case 'set-compatibility': {
        const { subject, level } = command;
        this.#assertWritable(subject);
        const before = state.ownLevel(subject);
        this.#put({ kind: 'config', subject, level });
        return { kind: 'compatibility-set', before };
      }
      case 'set-registry-mode': {
        const { subject, mode, force = false } = command;
        if (mode === 'IMPORT' && !force) this.#assertEmpty(subject);
        const before = state.ownMode(subject);
        this.#put({ kind: 'mode', subject, mode });
        return { kind: 'registry-mode-set', before };
      }
      case 'delete-subject':
        return { kind: 'subject-deleted', versions: this.#deleteSubject(command.subject, command.permanent ?? false) };
      case 'delete-schema-version':
        return { kind: 'subject-deleted', versions: [this.#deleteVersion(command)] };
      default:
        return unreachable(command);
    }
  }

  #register(command: Extract<RegistryCommand, { kind: 'register-schema' }>): RegistryOutcome {
    const { subject, schema, schemaType, references, checked, ...given } = command;
    if (checked === undefined)
      return { kind: 'registered', id: this.registerNow(subject, schema, schemaType, { references, asBefore: true }) };
    const text: SchemaText = { schemaType, ...(references === undefined ? {} : { references }), schema };
    const state = this.#state;
    const same = sameSchema(state.live(subject), text, given);
    if (same !== undefined) return { kind: 'registered', id: same.id };
    const refers = (references ?? []).every((used) => state.versionText(used.subject, used.version) !== undefined);
    if (!refers || this.standing(subject) !== checked) return { kind: 'registry-changed' };
    this.assertTakes(subject, given);
    return { kind: 'registered', id: this.#add(subject, text, given) };
  }

  /** What a new schema of the subject is compared with, and by which level. */
  standing(subject: string): string {
    const versions = this.#state.live(subject).map(({ version, id }) => [version, id]);
    const standing = JSON.stringify([this.#state.level(subject), versions]);
    return createHash('sha256').update(standing).digest('base64');
  }

  /**
   * The id of the schema under this subject. The same text again: the same id. One that `followsSource` is registered whatever level and
   * mode say: the source's table has changed, and its rows come in that form.
   */
  registerNow(subject: string, schema: string, schemaType: SchemaType, options: RegisterOptions = {}): number {
    const { followsSource = false, asBefore = false, references } = options;
    const state = this.#state;
    const given: SchemaText = { schemaType, ...(references === undefined ? {} : { references }), schema };
    // Schemas of our own are as large as their tables, and a command of an earlier version holds the normal form that it had then.
    const effort = Effort.unbounded();
    const read: ReadSchema =
      asBefore && schemaType !== 'PROTOBUF' ? { text: given, said: undefined } : readSchema(state, given, effort);
    const { text } = read;
    const live = state.live(subject);
    const same = sameSchema(live, text);
    if (same !== undefined) return same.id;
    if (!followsSource) {
      this.assertTakes(subject, {});
      // What a definition comes to does not change with the program: JSON schemas of our own change with their sources alone.
      this.assertCompatible(subject, read, { live, effort, asBefore: asBefore || schemaType === 'JSON' });
    }
    return this.#add(subject, text, {});
  }

  /** Throws incompatible-schema. */
  assertCompatible(subject: string, read: ReadSchema, options: Omit<Comparing, 'level'>): void {
    const level = this.#state.level(subject);
    const messages = breaches(this.#state, read, { ...options, level });
    if (messages.length === 0) return;
    throw new AppError(
      'incompatible-schema',
      `the schema is not compatible with earlier versions of subject ${subject}`,
      { detail: messages.join('; '), hint: `the level is ${level}; PUT /config/${subject} changes it` },
    );
  }

  #add(subject: string, text: SchemaText, given: GivenNumbers): number {
    const state = this.#state;
    const id = given.id ?? state.idOf(text) ?? state.maxId + 1;
    const version = given.version ?? state.nextVersion(subject);
    const known = state.text(id);
    if (known !== undefined && !sameText(known, text))
      throw notPermitted(`the id ${id} is that of another schema, which no registration changes`);
    const there = state.versions(subject, 'all').find((registered) => registered.version === version);
    if (there !== undefined && there.deleted === undefined && there.id !== id)
      throw notPermitted(`version ${version} of subject ${subject} is another schema`);
    this.#revive(subject, version);
    this.#put({ kind: 'schema', subject, version, id, ...text, deleted: false });
    return id;
  }

  /** A version that is imported where all were deleted: the others stay so, each by itself. */
  #revive(subject: string, version: number): void {
    const upTo = this.#state.deletedUpTo(subject);
    if (version > upTo) return;
    for (const { deleted: _, ...each } of this.#state.versions(subject, 'deleted')) {
      if (each.version <= upTo) this.#put({ kind: 'schema', ...each, deleted: true });
    }
    this.#put({ kind: 'deletion-forgotten', subject });
  }

  /** An entry that an append holds: earlier versions of this program wrote them so. */
  takeNow(entry: SchemaStoreEntry): void {
    this.#store.put(entry);
    applyTo(this.#state, entry);
  }

  /** The subject goes with its topic; nothing where there is none. What refers to it goes on to find it. */
  dropNow(subject: string): void {
    if (this.#state.live(subject).length > 0) this.#deleteSoftly(subject);
  }

  #deleteSubject(subject: string, permanent: boolean): readonly number[] {
    this.#assertWritable(subject);
    const all = this.#state.versions(subject, 'all');
    if (all.length === 0) throw unknownSubject(subject);
    const live = this.#state.live(subject);
    for (const { version } of permanent ? all : live) this.#assertUnused(subject, version, permanent);
    if (!permanent) {
      if (live.length === 0) throw alreadyDeleted(`subject ${subject}`);
      return this.#deleteSoftly(subject);
    }
    if (live.length > 0) throw notDeleted(`subject ${subject}`);
    for (const { version } of all) this.#removeForGood(subject, version);
    this.#put({ kind: 'deletion-forgotten', subject });
    return all.map(({ version }) => version);
  }

  #deleteSoftly(subject: string): readonly number[] {
    const versions = this.#state.live(subject).map(({ version }) => version);
    this.#forgetSettings(subject);
    this.#put({ kind: 'subject-deleted', subject, version: versions.at(-1)! });
    return versions;
  }

  #deleteVersion(command: Extract<RegistryCommand, { kind: 'delete-schema-version' }>): number {
    const { subject, permanent } = command;
    this.#assertWritable(subject);
    const shown = command.version !== 'latest' ? 'all' : permanent ? 'deleted' : 'live';
    const { deleted, ...found } = findVersion(this.#state, subject, command.version, shown);
    const { version } = found;
    if (!permanent && deleted) throw alreadyDeleted(`version ${version} of subject ${subject}`);
    if (permanent && !deleted) throw notDeleted(`version ${version} of subject ${subject}`);
    this.#assertUnused(subject, version, permanent);
    if (permanent) this.#removeForGood(subject, version);
    else this.#put({ kind: 'schema', ...found, deleted: true });
    if (this.#state.live(subject).length === 0) this.#forgetSettings(subject);
    return version;
  }

  #removeForGood(subject: string, version: number): void {
    this.#store.keepMaxId(this.#state.maxId);
    this.#put({ kind: 'schema-removed', subject, version });
  }

  #forgetSettings(subject: string): void {
    if (this.#state.ownLevel(subject) !== null) this.#put({ kind: 'config', subject, level: null });
    if (this.#state.ownMode(subject) !== null) this.#put({ kind: 'mode', subject, mode: null });
  }

  /** The text behind an id, from memory: what decoders resolve with. Throws unknown-schema. */
  schemaText(id: number): string {
    return textOf(this.#state, id).schema;
  }

  /** What the text behind an id refers to, by name. */
  schemaImports(id: number): ReadonlyMap<string, string> {
    return importsOf(this.#state, textOf(this.#state, id));
  }

  /** The texts of a subject's versions of this type, the newest first. */
  texts(subject: string, schemaType: SchemaType): readonly string[] {
    const live = this.#state.live(subject).filter((registered) => registered.schemaType === schemaType);
    return live.map(({ schema }) => schema).toReversed();
  }

  #assertUnused(subject: string, version: number, permanent: boolean): void {
    const ids = this.#state.referring(subject, version, permanent ? 'all' : 'live');
    if (ids.length > 0) {
      throw new AppError('schema-in-use', `version ${version} of subject ${subject} is referred to`, {
        detail: `by the schemas with the ids ${ids.slice(0, 20).join(', ')}`,
      });
    }
    const user = permanent ? this.#usedBy(subject) : undefined;
    if (user !== undefined) {
      throw new AppError('schema-in-use', `the records of ${user} are read by the schemas of subject ${subject}`, {
        hint: 'a subject that is deleted softly takes no versions into account any more, and its records can still be read',
      });
    }
  }

  #assertWritable(subject: string | null): void {
    const mode = this.#state.mode(subject);
    if (mode === 'READWRITE' || mode === 'IMPORT') return;
    throw notPermitted(`${subject === null ? 'the registry' : `subject ${subject}`} is in mode ${mode}`);
  }

  /** Ids come from outside in mode IMPORT, and only there. */
  assertTakes(subject: string, { id, version }: GivenNumbers): void {
    this.#assertWritable(subject);
    const imports = this.#state.mode(subject) === 'IMPORT';
    if (id !== undefined && !imports) throw notPermitted(`subject ${subject} is not in mode IMPORT, so it takes no id`);
    if (id === undefined && imports)
      throw notPermitted(`subject ${subject} is in mode IMPORT, and the schema has no id`);
    if (imports || version === undefined || version === this.#state.nextVersion(subject)) return;
    throw new AppError('invalid-schema', `version ${version} is not the next one of subject ${subject}`);
  }

  #assertEmpty(subject: string | null): void {
    const there = subject === null ? this.#state.subjects('live') : this.#state.live(subject);
    if (there.length > 0)
      throw notPermitted('there are schemas already: ids that are imported could contradict theirs', '?force=true');
  }

  #put(event: RegistryEvent): void {
    this.#store.put(toEntry(event));
    this.#state.apply(event);
  }
}

function applyTo(state: RegistryState, entry: SchemaStoreEntry): void {
  const event = fromEntry(entry);
  if (event) state.apply(event);
}

/** The version that is this schema, and has the numbers that are asked for. */
export function sameSchema(
  versions: readonly RegisteredSchema[],
  text: SchemaText,
  { id, version }: GivenNumbers = {},
): RegisteredSchema | undefined {
  return versions.findLast(
    (registered) =>
      sameText(registered, text) &&
      (id ?? registered.id) === registered.id &&
      (version ?? registered.version) === registered.version,
  );
}

/** Throws unknown-subject, unknown-schema. */
export function findVersion(
  state: RegistryState,
  subject: string,
  version: number | 'latest',
  shown: Shown,
): RegisteredSchema {
  const versions = state.versions(subject, shown);
  if (versions.length === 0) throw unknownSubject(subject);
  const found = version === 'latest' ? versions.at(-1) : versions.find((registered) => registered.version === version);
  if (!found) throw new AppError('unknown-schema', `subject ${subject} has no version ${version}`);
  return found;
}

/** Throws unknown-schema. */
export function textOf(state: RegistryState, id: number): SchemaText {
  const text = state.text(id);
  if (!text) throw new AppError('unknown-schema', `the schema registry has no schema with id ${id}`);
  return text;
}

export function unknownSubject(subject: string): AppError {
  return new AppError('unknown-subject', `the schema registry has no subject ${subject}`);
}

function alreadyDeleted(what: string): AppError {
  return new AppError('already-deleted', `${what} is deleted already`, { hint: '?permanent=true deletes it for good' });
}

function notDeleted(what: string): AppError {
  return new AppError('not-deleted', `${what} is not deleted`, { hint: 'delete it without ?permanent=true first' });
}

function notPermitted(message: string, hint?: string): AppError {
  return new AppError('operation-not-permitted', message, { hint });
}
