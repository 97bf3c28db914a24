// The registry's face to the server: questions are answered from what the open transaction has made of it, changes are appended as commands
// once nothing stands against them. Where something does, nothing is appended: a refusal behind the log would cost a rollback.
import { bounds } from '../core/bounds.js';
import { AppError, assert } from '../core/errors.js';
import { Effort } from '../schema/effort.js';
import { compatibilityLevels, type CompatibilityLevel } from '../core/compatibility-level.js';
import {
  type GivenSchema,
  type RegisteredSchema,
  type RegistryFacade,
  type RegistryMode,
  registryModes,
  type SchemaSearch,
  type SchemaText,
  type Shown,
  type SubjectVersion,
} from './registry-facade.js';
import { sameText, type RegistryState } from './registry-state.js';
import {
  findVersion,
  sameSchema,
  textOf,
  unknownSubject,
  type Registry,
  type RegistryCommand,
  type RegistryOutcome,
} from './registry.js';
import { breaches, orderedText, readSchema } from './schema-texts.js';

/** Of one registration, while others change its subject. */
const attemptsMax = 10;

export class RegistryService implements RegistryFacade {
  readonly #registry: Registry;
  readonly #submit: (command: RegistryCommand) => Promise<RegistryOutcome>;

  /** `submit` appends a command; it resolves with what applying it came to. */
  constructor(registry: Registry, submit: (command: RegistryCommand) => Promise<RegistryOutcome>) {
    this.#registry = registry;
    this.#submit = submit;
  }

  get #state(): RegistryState {
    return this.#registry.state;
  }

  async subjects(prefix: string, shown: Shown): Promise<readonly string[]> {
    return this.#state.subjects(shown).filter((subject) => subject.startsWith(prefix));
  }

  async versions(subject: string, shown: Shown): Promise<readonly number[]> {
    const found = this.#state.versions(subject, shown);
    if (found.length === 0) throw unknownSubject(subject);
    return found.map(({ version }) => version);
  }

  async version(subject: string, version: number | 'latest', shown: Shown): Promise<RegisteredSchema> {
    return findVersion(this.#state, subject, version, shown);
  }

  async schemas({ prefix, shown, latestOnly, offset, limit }: SchemaSearch): Promise<readonly RegisteredSchema[]> {
    const found: RegisteredSchema[] = [];
    let passed = 0;
    let size = 0;
    for (const subject of this.#state.subjects(shown === 'live' ? 'live' : 'all')) {
      if (!subject.startsWith(prefix)) continue;
      const versions = this.#state.versions(subject, shown);
      for (const each of latestOnly ? versions.slice(-1) : versions) {
        if (passed++ < offset) continue;
        if (found.length === limit) return found;
        size += each.schema.length;
        if (size > bounds.schemaAnswer.value) {
          throw new AppError('result-too-large', `the schemas have more than ${bounds.schemaAnswer.value} characters`, {
            hint: `ask for fewer: ?offset=${offset}&limit=${Math.max(1, found.length)}, a prefix, or latestOnly`,
          });
        }
        found.push(each);
      }
    }
    return found;
  }

  async byId(id: number): Promise<SchemaText & { readonly maxId: number }> {
    return { ...textOf(this.#state, id), maxId: this.#state.maxId };
  }

  async usesOf(id: number, shown: Shown): Promise<readonly SubjectVersion[]> {
    textOf(this.#state, id);
    return this.#state.uses(id, shown);
  }

  async register(subject: string, given: GivenSchema): Promise<{ readonly id: number }> {
    const { id, version } = given;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const state = this.#state;
      const effort = new Effort();
      const read = readSchema(state, this.#pinned(given), effort);
      const live = state.live(subject);
      const same = sameSchema(live, read.text, given) ?? this.#sameOrdered(live, read.text, given, effort);
      // What is registered already is no change.
      if (same) return { id: same.id };
      this.#registry.assertTakes(subject, given);
      // What is imported was decided where it comes from.
      if (id === undefined) this.#registry.assertCompatible(subject, read, { live, effort });
      const checked = this.#registry.standing(subject);
      const outcome = await this.#submit({ kind: 'register-schema', subject, ...read.text, id, version, checked });
      if (outcome.kind === 'registered') return { id: outcome.id };
      assert(outcome.kind === 'registry-changed', `registering came to ${outcome.kind}`);
    }
    throw new AppError('overloaded', `subject ${subject} changes faster than a schema is compared`, {
      retriable: true,
    });
  }

  /** References to the latest version, which -1 means, are to the one that is it now. */
  #pinned(given: GivenSchema): GivenSchema {
    const { references } = given;
    if (references === undefined || references.every(({ version }) => version !== -1)) return given;
    const pinned = references.map((used) =>
      used.version === -1 ? { ...used, version: this.#state.live(used.subject).at(-1)?.version ?? -1 } : used,
    );
    return { ...given, references: pinned };
  }

  async lookup(subject: string, given: GivenSchema, shown: Shown): Promise<RegisteredSchema> {
    const effort = new Effort();
    const versions = this.#state.versions(subject, shown);
    if (versions.length === 0) throw unknownSubject(subject);
    const { text } = readSchema(this.#state, this.#pinned(given), effort);
    const found = sameSchema(versions, text) ?? this.#sameOrdered(versions, text, given, effort);
    if (!found) throw new AppError('unknown-schema', `subject ${subject} has no such schema`);
    return found;
  }

  /** One that is the same in another order, where the request says that this does not matter. */
  #sameOrdered(
    versions: readonly RegisteredSchema[],
    text: SchemaText,
    { normalize = false, id, version }: GivenSchema,
    effort: Effort,
  ): RegisteredSchema | undefined {
    if (!normalize || id !== undefined || version !== undefined) return undefined;
    return versions.findLast((registered) => {
      effort.spendText(registered.schema);
      return sameText({ ...registered, schema: orderedText(registered) }, text);
    });
  }

  async referencedBy(subject: string, version: number | 'latest'): Promise<readonly number[]> {
    return this.#state.referring(subject, findVersion(this.#state, subject, version, 'live').version, 'live');
  }

  async compatible(subject: string, version: number | 'latest' | 'all', given: GivenSchema) {
    const state = this.#state;
    const effort = new Effort();
    const read = readSchema(state, this.#pinned(given), effort);
    let live: readonly RegisteredSchema[] = state.live(subject);
    // With a subject that is not there yet everything is compatible.
    if (typeof version === 'number') live = [findVersion(state, subject, version, 'live')];
    else if (version === 'latest') live = live.slice(-1);
    const messages = breaches(state, read, { level: state.level(subject), live, effort });
    return { is_compatible: messages.length === 0, messages };
  }

  async config(subject: string | null): Promise<CompatibilityLevel | null> {
    return subject === null ? this.#state.level(null) : this.#state.ownLevel(subject);
  }

  async setConfig(subject: string | null, level: CompatibilityLevel): Promise<void> {
    if (!compatibilityLevels.includes(level)) throw noSuch('compatibility level', level, compatibilityLevels);
    await this.#submit({ kind: 'set-compatibility', subject, level });
  }

  async resetConfig(subject: string | null): Promise<CompatibilityLevel | null> {
    const before = await this.config(subject);
    if (before !== null) await this.#submit({ kind: 'set-compatibility', subject, level: null });
    return before;
  }

  async mode(subject: string | null): Promise<RegistryMode | null> {
    return subject === null ? this.#state.mode(null) : this.#state.ownMode(subject);
  }

  async setMode(subject: string | null, mode: RegistryMode, force: boolean): Promise<void> {
    if (!registryModes.includes(mode)) throw noSuch('mode', mode, registryModes);
    await this.#submit({ kind: 'set-registry-mode', subject, mode, force });
  }

  async resetMode(subject: string | null): Promise<RegistryMode | null> {
    const before = await this.mode(subject);
    if (before !== null) await this.#submit({ kind: 'set-registry-mode', subject, mode: null });
    return before;
  }

  async deleteSubject(subject: string, permanent: boolean): Promise<readonly number[]> {
    if (this.#state.versions(subject, 'all').length === 0) throw unknownSubject(subject);
    return this.#delete({ kind: 'delete-subject', subject, permanent });
  }

  async deleteVersion(subject: string, version: number | 'latest', permanent: boolean): Promise<number> {
    findVersion(this.#state, subject, version, 'all');
    return (await this.#delete({ kind: 'delete-schema-version', subject, version, permanent }))[0]!;
  }

  async #delete(command: RegistryCommand): Promise<readonly number[]> {
    const outcome = await this.#submit(command);
    assert(outcome.kind === 'subject-deleted', `deleting came to ${outcome.kind}`);
    return outcome.versions;
  }
}

function noSuch(what: string, given: string, known: readonly string[]): AppError {
  return new AppError('bad-request', `there is no ${what} ${JSON.stringify(given)}`, { hint: known.join(', ') });
}
