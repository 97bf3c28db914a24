// What the entries of the registry add up to. A function of the entries alone: applying one again changes nothing, so a replay
// from the start, or an entry that comes back through a follower, does no harm.
import { AppError } from '../core/errors.js';
import type { CompatibilityLevel } from '../core/compatibility-level.js';
import type { RegisteredSchema, RegistryMode, SchemaText, Shown, SubjectVersion } from './registry-facade.js';
import type { RegistryEvent } from './schema-store.js';

interface Version extends SubjectVersion {
  readonly id: number;
  readonly deleted: boolean;
}

interface Known {
  readonly text: SchemaText;
  readonly uses: Map<string, SubjectVersion>;
}

/** The level of subjects while nobody has set one; Confluent's default. */
const defaultLevel: CompatibilityLevel = 'BACKWARD';

export class RegistryState {
  readonly #known = new Map<number, Known>();
  /** Another registry may have given one text two ids. */
  readonly #ids = new Map<string, Set<number>>();
  readonly #subjects = new Map<string, Map<number, Version>>();
  /** The highest version that a subject was deleted up to. */
  readonly #deletedUpTo = new Map<string, number>();
  readonly #levels = new Map<string | null, CompatibilityLevel>();
  readonly #modes = new Map<string | null, RegistryMode>();
  /** Ids of the schemas that refer to a version. */
  readonly #referring = new Map<string, Set<number>>();
  #maxId: number;

  /** `maxId`: the highest id that was ever given, as far as the entries do not tell. */
  constructor(maxId = 0) {
    this.#maxId = maxId;
  }

  apply(event: RegistryEvent): void {
    const { subject } = event;
    switch (event.kind) {
      case 'schema':
        return this.#applySchema(event);
      case 'schema-removed':
        return this.#remove(event.subject, event.version);
      case 'subject-deleted':
        this.#deletedUpTo.set(event.subject, Math.max(event.version, this.#deletedUpTo.get(event.subject) ?? 0));
        return;
      case 'deletion-forgotten':
        this.#deletedUpTo.delete(event.subject);
        return;
      case 'config':
        if (event.level === null) this.#levels.delete(subject);
        else this.#levels.set(subject, event.level);
        return;
      case 'mode':
        if (event.mode === null) this.#modes.delete(subject);
        else this.#modes.set(subject, event.mode);
    }
  }

  #applySchema(event: Extract<RegistryEvent, { kind: 'schema' }>): void {
    const { subject, version, id, schemaType, references, schema, deleted } = event;
    const text: SchemaText = { schemaType, ...(references === undefined ? {} : { references }), schema };
    let known = this.#known.get(id);
    if (known !== undefined && !sameText(known.text, text)) {
      throw new AppError('log-corrupt', `the schema registry gives id ${id} to two schemas`, {
        detail: `second: ${subject} version ${version}`,
      });
    }
    const before = this.#subjects.get(subject)?.get(version);
    if (before !== undefined && before.id !== id) this.#remove(subject, version);
    if (known === undefined) {
      this.#known.set(id, (known = { text, uses: new Map() }));
      setIn(this.#ids, textKey(text)).add(id);
      for (const used of references ?? []) setIn(this.#referring, versionKey(used)).add(id);
    }
    known.uses.set(versionKey({ subject, version }), { subject, version });
    this.#maxId = Math.max(this.#maxId, id);
    let versions = this.#subjects.get(subject);
    if (versions === undefined) this.#subjects.set(subject, (versions = new Map()));
    versions.set(version, { subject, version, id, deleted });
  }

  /** The text goes with the last version that has it. */
  #remove(subject: string, version: number): void {
    const found = this.#subjects.get(subject)?.get(version);
    if (found === undefined) return;
    this.#subjects.get(subject)!.delete(version);
    if (this.#subjects.get(subject)!.size === 0) this.#subjects.delete(subject);
    const { text, uses } = this.#known.get(found.id)!;
    uses.delete(versionKey(found));
    if (uses.size > 0) return;
    this.#known.delete(found.id);
    takeFrom(this.#ids, textKey(text), found.id);
    for (const used of text.references ?? []) takeFrom(this.#referring, versionKey(used), found.id);
  }

  /** The id under which a text is known anywhere, deleted versions included; new registrations take the lowest. */
  idOf(text: SchemaText): number | undefined {
    const ids = this.#ids.get(textKey(text));
    return ids && Math.min(...ids);
  }

  text(id: number): SchemaText | undefined {
    return this.#known.get(id)?.text;
  }

  get maxId(): number {
    return this.#maxId;
  }

  #isDeleted({ subject, version, deleted }: Version): boolean {
    return deleted || version <= (this.#deletedUpTo.get(subject) ?? 0);
  }

  /** Sorted. `deleted`: those that have nothing else. */
  subjects(shown: Shown): string[] {
    const found: string[] = [];
    for (const [subject, versions] of this.#subjects) {
      const live = [...versions.values()].some((version) => !this.#isDeleted(version));
      if (shown === 'all' || live === (shown === 'live')) found.push(subject);
    }
    return found.sort();
  }

  /** The versions of a subject in rising order. */
  versions(subject: string, shown: Shown): RegisteredSchema[] {
    const found: RegisteredSchema[] = [];
    for (const each of this.#subjects.get(subject)?.values() ?? []) {
      const deleted = this.#isDeleted(each);
      if (shown !== 'all' && deleted !== (shown === 'deleted')) continue;
      const { version, id } = each;
      const { text } = this.#known.get(id)!;
      found.push({ subject, version, id, ...text, ...(deleted ? { deleted } : {}) });
    }
    return found.sort((a, b) => a.version - b.version);
  }

  live(subject: string): RegisteredSchema[] {
    return this.versions(subject, 'live');
  }

  /** Where a schema is registered, sorted. */
  uses(id: number, shown: Shown): SubjectVersion[] {
    const uses = [...(this.#known.get(id)?.uses.values() ?? [])].filter(
      ({ subject, version }) =>
        shown === 'all' || this.#isDeleted(this.#subjects.get(subject)!.get(version)!) === (shown === 'deleted'),
    );
    return uses.sort((a, b) => (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : a.version - b.version));
  }

  /** The text of a version, deleted or not: what refers to it goes on to mean it. */
  versionText(subject: string, version: number): SchemaText | undefined {
    const found = this.#subjects.get(subject)?.get(version);
    return found && this.text(found.id);
  }

  /** The ids of the schemas that refer to a version, in rising order. */
  referring(subject: string, version: number, shown: Shown): number[] {
    const ids = [...(this.#referring.get(versionKey({ subject, version })) ?? [])];
    return ids.filter((id) => this.uses(id, shown).length > 0).sort((a, b) => a - b);
  }

  /** Versions are given again only where they were deleted for good. */
  nextVersion(subject: string): number {
    let highest = this.#deletedUpTo.get(subject) ?? 0;
    for (const version of this.#subjects.get(subject)?.keys() ?? []) highest = Math.max(highest, version);
    return highest + 1;
  }

  deletedUpTo(subject: string): number {
    return this.#deletedUpTo.get(subject) ?? 0;
  }

  /** The level that counts for a subject. */
  level(subject: string | null): CompatibilityLevel {
    return this.#levels.get(subject) ?? this.#levels.get(null) ?? defaultLevel;
  }

  ownLevel(subject: string | null): CompatibilityLevel | null {
    return this.#levels.get(subject) ?? null;
  }

  /** The mode that counts for a subject. */
  mode(subject: string | null): RegistryMode {
    const ofAll = this.#modes.get(null) ?? 'READWRITE';
    return ofAll === 'READONLY_OVERRIDE' ? ofAll : (this.#modes.get(subject) ?? ofAll);
  }

  ownMode(subject: string | null): RegistryMode | null {
    return this.#modes.get(subject) ?? null;
  }
}

function setIn<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = new Set()));
  return found;
}

function takeFrom<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const found = map.get(key);
  found?.delete(value);
  if (found?.size === 0) map.delete(key);
}

function versionKey({ subject, version }: SubjectVersion): string {
  return `${version} ${subject}`;
}

/** The same for what is one schema, without making a text of it. */
export function sameText(a: SchemaText, b: SchemaText): boolean {
  if (a.schemaType !== b.schemaType || a.schema !== b.schema) return false;
  const [used, others] = [a.references ?? [], b.references ?? []];
  return (
    used.length === others.length &&
    used.every(({ name, subject, version }, i) => {
      const other = others[i]!;
      return name === other.name && subject === other.subject && version === other.version;
    })
  );
}

/** The same for what is one schema. */
function textKey({ schemaType, schema, references = [] }: SchemaText): string {
  const used = references.map(({ name, subject, version }) => JSON.stringify([name, subject, version])).join();
  return `${schemaType} ${used} ${schema}`;
}
