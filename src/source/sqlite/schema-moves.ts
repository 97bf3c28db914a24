// Changes of the file's schema that may have undone each other before capture looked: a unique index that is made and dropped, a column
// that is renamed and named back. Nothing is seen of those, and what was written in between may have been told wrong (triggers.ts). SQLite
// counts changes of the schema, so it is known that there may have been such, and the tables that were written since are read again.
// One change alone is either seen or concerns no rows.
export class SchemaMoves {
  #version: number | null = null;
  /** Changes since the last look that are not ours. */
  #moves = 0;
  readonly #written = new Set<number>();

  /** The file's schema_version up to which it was looked; null: not yet. For the position. */
  get version(): number | null {
    return this.#version;
  }

  /** Where an earlier run has come to. */
  begin(version: number | null): void {
    this.#version = version;
  }

  /** In the cut of the file that is read next. */
  look(version: number): void {
    this.#moves += Math.abs(version - (this.#version ?? version));
    this.#version = version;
  }

  /** Changes that capture itself has made. */
  ours(moves: number): void {
    if (this.#version !== null) this.#version += moves;
  }

  /** A change of the table with this number is behind the last look. */
  wrote(id: number): void {
    if (this.#moves > 1) this.#written.add(id);
  }

  /** Everything up to the look is read. Gives the numbers of the tables that may have been told wrong. */
  take(): readonly number[] {
    const written = [...this.#written];
    this.#written.clear();
    this.#moves = 0;
    return written;
  }
}
