// What the entries of the registry add up to. A function of the entries alone: applying one again changes nothing, so a replay
// from the start, or an entry that comes back through a follower, does no harm.
import { AppError } from '../core/errors.js';
import type { CompatibilityLevel, RegisteredSchema, SchemaReference, SchemaType } from './registry-facade.js';
import type { RegistryEvent } from './schema-store.js';

export interface SchemaText {
  readonly schemaType: SchemaType;
  /** Never empty. */
  readonly references?: readonly SchemaReference[] | undefined;
  readonly schema: string;
}

interface Version {
  readonly id: number;
  readonly deleted: boolean;
}

/** The level of subjects while nobody has set one; Confluent's default. */
const defaultLevel: CompatibilityLevel = 'BACKWARD';

export class RegistryState {
  readonly #texts = new Map<number, SchemaText>();
  readonly #ids = new Map<string, number>();
  readonly #subjects = new Map<string, Map<number, Version>>();
  /** The highest version that a subject was deleted up to. */
  readonly #deletedUpTo = new Map<string, number>();
  readonly #levels = new Map<string | null, CompatibilityLevel>();
  #maxId = 0;

  apply(event: RegistryEvent): void {
    switch (event.kind) {
      case 'schema':
        return this.#applySchema(event);
      case 'schema-removed':
        this.#subjects.get(event.subject)?.delete(event.version);
        return;
      case 'subject-deleted':
        this.#deletedUpTo.set(event.subject, Math.max(event.version, this.#deletedUpTo.get(event.subject) ?? 0));
        return;
      case 'config':
        if (event.level === null) this.#levels.delete(event.subject);
        else this.#levels.set(event.subject, event.level);
    }
  }

  #applySchema({
    subject,
    version,
    id,
    schemaType,
    references,
    schema,
    deleted,
  }: Extract<RegistryEvent, { kind: 'schema' }>): void {
    const known = this.#texts.get(id);
    const text: SchemaText = { schemaType, ...(references === undefined ? {} : { references }), schema };
    if (known !== undefined && !sameText(known, text)) {
      throw new AppError('log-corrupt', `the schema registry gives id ${id} to two schemas`, {
        detail: `second: ${subject} version ${version}`,
      });
    }
    this.#texts.set(id, text);
    const byText = textKey(text);
    // Another registry may have given one text two ids; new registrations take the lower one, in whatever order the entries come.
    this.#ids.set(byText, Math.min(id, this.#ids.get(byText) ?? id));
    this.#maxId = Math.max(this.#maxId, id);
    let versions = this.#subjects.get(subject);
    if (versions === undefined) this.#subjects.set(subject, (versions = new Map()));
    versions.set(version, { id, deleted });
  }

  /** The id under which a text is known anywhere, deleted versions included. */
  idOf(text: SchemaText): number | undefined {
    return this.#ids.get(textKey(text));
  }

  text(id: number): SchemaText | undefined {
    return this.#texts.get(id);
  }

  get nextId(): number {
    return this.#maxId + 1;
  }

  /** Subjects with a version that is not deleted, sorted. */
  subjects(): string[] {
    return [...this.#subjects.keys()].filter((subject) => this.live(subject).length > 0).sort();
  }

  /** The versions of a subject that are not deleted, in rising order. */
  live(subject: string): RegisteredSchema[] {
    const upTo = this.#deletedUpTo.get(subject) ?? 0;
    const live: RegisteredSchema[] = [];
    for (const [version, { id, deleted }] of this.#subjects.get(subject) ?? []) {
      if (!deleted && version > upTo) live.push({ subject, version, id, ...this.#texts.get(id)! });
    }
    return live.sort((a, b) => a.version - b.version);
  }

  /** The text of a version, deleted or not: what refers to it goes on to mean it. */
  versionText(subject: string, version: number): SchemaText | undefined {
    const found = this.#subjects.get(subject)?.get(version);
    return found && this.#texts.get(found.id);
  }

  /** The ids of the live schemas that refer to a version, in rising order. */
  referring(subject: string, version: number): number[] {
    const ids = new Set<number>();
    for (const live of this.subjects().flatMap((each) => this.live(each))) {
      if (live.references?.some((used) => used.subject === subject && used.version === version)) ids.add(live.id);
    }
    return [...ids].sort((a, b) => a - b);
  }

  /** Versions are never given twice, not even after a deletion. */
  nextVersion(subject: string): number {
    return Math.max(0, this.#deletedUpTo.get(subject) ?? 0, ...(this.#subjects.get(subject)?.keys() ?? [])) + 1;
  }

  /** The level that counts for a subject. */
  level(subject: string | null): CompatibilityLevel {
    return this.#levels.get(subject) ?? this.#levels.get(null) ?? defaultLevel;
  }

  hasOwnLevel(subject: string): boolean {
    return this.#levels.has(subject);
  }
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
export function textKey({ schemaType, schema, references = [] }: SchemaText): string {
  const used = references.map(({ name, subject, version }) => JSON.stringify([name, subject, version])).join();
  return `${schemaType} ${used} ${schema}`;
}
