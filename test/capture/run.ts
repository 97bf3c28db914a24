// One way of one script on its place, with what has become of it so far. Once it has failed or was skipped nothing more is asked of it.
import type { App } from '../support/harness/app-process.js';
import { compare, type Comparison } from './compare.js';
import { storedExpectations } from './expectations.js';
import type { Place, SectionEnd } from './place.js';
import type { Script, Section, WayScript } from './script.js';
import { createConnector, isWarned, waitForRest, type Rest, type ServiceError } from './service.js';
import { lackOf, mayStop } from './verdict.js';

export type End =
  | { readonly kind: 'skip'; readonly errno: string; readonly message: string }
  | { readonly kind: 'fail'; readonly reason: string };

export class Run {
  readonly script: Script;
  readonly way: WayScript;
  readonly place: Place;
  readonly #notes: string[] = [];
  /** What is told of tables, each with its tables. */
  readonly #tables = new Map<string, Set<string>>();
  end: End | undefined;
  /** Of the end of its script, before anything was killed. */
  comparison: Comparison | undefined;

  /** Properties that errors have offered. */
  readonly #waysOut: Record<string, string> = {};

  constructor(script: Script, way: WayScript, place: Place) {
    this.script = script;
    this.way = way;
    this.place = place;
  }

  get notes(): readonly string[] {
    return [...this.#notes, ...Array.from(this.#tables, ([what, tables]) => `${what}: ${[...tables].join(', ')}`)];
  }

  get live(): boolean {
    return this.end === undefined;
  }

  async runSections(sections: readonly Section[]): Promise<void> {
    for (const section of sections) {
      const end: SectionEnd = await this.place.run(section);
      if (end.kind === 'done') end.notes.forEach((note) => this.#note(note));
      else if (end.kind === 'refused') this.end = { kind: 'skip', errno: end.errno, message: end.message };
      else this.fail('script', `${end.message}: ${end.statement.slice(0, 100)}`);
      if (!this.live) return;
    }
  }

  /** False: there is no connector. */
  async begin(app: App, check: string): Promise<boolean> {
    const error = await createConnector(app, this.place, this.#waysOut);
    if (error === undefined) return true;
    await this.stopped(error, check);
    return false;
  }

  async check(app: App, rest: Rest, check: string): Promise<void> {
    switch (rest.kind) {
      case 'stuck':
        return this.fail(check, rest.reason);
      case 'failed':
        if (await this.#takeWayOut(app, rest.error)) {
          const rests = await waitForRest(app, [this.place.label], performance.now());
          return this.check(app, rests.get(this.place.label)!, check);
        }
        return this.stopped(rest.error, check);
      case 'current':
        return this.#compare(app, check);
    }
  }

  async #compare(app: App, check: string): Promise<void> {
    const first = await compare(app, this.place);
    let comparison = first;
    if (first.difference !== undefined) {
      // An event of the server's may have written in between, so once more; without such a write it was not current when it said so.
      const rests = await waitForRest(app, [this.place.label], performance.now());
      const rest = rests.get(this.place.label)!;
      if (rest.kind !== 'current') return this.check(app, rest, check);
      comparison = await compare(app, this.place);
      if (comparison.difference === undefined && sameRows(first, comparison))
        return this.fail(check, `said to be current, and was not yet: ${first.difference}`);
    }
    this.comparison = comparison;
    for (const table of comparison.keyless) this.#noteTable('left out, as there is no primary key', table);
    for (const { table, unreadable } of comparison.unreadable)
      this.#noteTable(`the source itself cannot read it (${unreadable})`, table);
    if (comparison.difference !== undefined) return this.fail(check, comparison.difference);
    for (const { database, table, rows } of comparison.unserved) {
      // One that came while capture streamed is made when its first row comes.
      if (rows.length === 0 && this.#streams(check)) this.#noteTable('not served before its first row', table);
      else if (mayStop(this.script) && isWarned(app, database, table))
        this.#noteTable('left out, with a warning', table);
      else return this.fail(check, `table ${table} is not served`);
    }
    const expected = storedExpectations(comparison);
    expected.notes.forEach((note) => this.#note(note));
    if (expected.difference !== undefined) this.fail(check, expected.difference);
  }

  /** A value without a type stops capture, and the error offers to take it as text: then that has to work. */
  async #takeWayOut(app: App, { code, hint }: ServiceError): Promise<boolean> {
    const property = code === 'unconvertible-value' ? /([\w.]+)=text\b/.exec(hint)?.[1] : undefined;
    if (property === undefined || this.#waysOut[property] !== undefined || mayStop(this.script)) return false;
    this.#waysOut[property] = 'text';
    this.#note(`stopped at a value, and went on with ${property}=text, as the error offers`);
    return (await createConnector(app, this.place, this.#waysOut)) === undefined;
  }

  /** Capture has stopped, or did not begin. */
  async stopped(error: ServiceError, check: string): Promise<void> {
    await this.place.tables().catch(() => undefined); // so that their names are known
    const told = `${error.code}: ${error.message}${error.hint === '' ? '' : ` (${error.hint})`}`;
    if (!mayStop(this.script)) return this.fail(check, `capture stopped, ${told}`);
    const lack = lackOf(error, this.place);
    if (lack !== undefined) return this.fail(check, `capture stopped as it may, but its error has ${lack}: ${told}`);
    this.#note(`stopped as it may, ${told}`);
  }

  #streams(check: string): boolean {
    return check !== 'fresh snapshot' && check !== 'snapshot';
  }

  /** What every check tells is told once. */
  #note(note: string): void {
    if (!this.#notes.includes(note)) this.#notes.push(note);
  }

  #noteTable(what: string, table: string): void {
    const tables = this.#tables.get(what) ?? new Set();
    this.#tables.set(what, tables.add(table));
  }

  fail(check: string, reason: string): void {
    const way = this.way.way === 'case' ? '' : `${this.way.way} way, `;
    this.end ??= { kind: 'fail', reason: `${way}${check}: ${reason}` };
  }
}

function sameRows(one: Comparison, other: Comparison): boolean {
  const print = ({ tables }: Comparison): string =>
    JSON.stringify(
      tables.map(({ source }) => [
        source.table,
        source.rows.map((row) => row.map((value) => value?.toString('base64') ?? null)),
      ]),
    );
  return print(one) === print(other);
}
