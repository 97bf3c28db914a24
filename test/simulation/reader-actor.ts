// A reader that takes its time: it holds a cut over many steps, reads ranges and keys of it, and finds what the model says for that cut,
// however the tables move on meanwhile. Between cuts it reads single rows by the way that shares one cut for a turn.
import { AppError } from '../../src/core/errors.js';
import type { ReadSession, ScanRequest, TableFrontier } from '../../src/store/state-store.js';
import type { Dice } from '../support/harness/dice.js';
import { columnsOf, derivedTables, type Model, type ModelRow } from './model.js';
import type { SimulatedProcess } from './process.js';

export interface ReaderEnv {
  readonly model: Model;
  readonly dice: Dice;
  readonly breach: (text: string) => void;
}

const tables = [...Object.keys(columnsOf), ...derivedTables.map(({ name }) => name)];
const refusals = new Set(['unknown-table', 'snapshotting', 'detached']);

export class ReaderActor {
  readonly #env: ReaderEnv;
  #process: SimulatedProcess | undefined;
  #session: ReadSession | undefined;
  /** The newest version that anybody was told of by this process. */
  #told = 0;

  constructor(env: ReaderEnv) {
    this.#env = env;
  }

  committed(process: SimulatedProcess, seq: number): void {
    this.#follow(process);
    this.#told = seq;
  }

  #follow(process: SimulatedProcess): void {
    if (this.#process === process) return;
    this.#process = process;
    this.#session = undefined;
    this.#told = 0;
  }

  /** Before the process ends in good order. */
  leave(process: SimulatedProcess): void {
    this.#follow(process);
    this.#session?.close();
    this.#session = undefined;
  }

  act(process: SimulatedProcess): boolean {
    this.#follow(process);
    const { dice } = this.#env;
    if (this.#session === undefined && dice.chance(0.5)) return this.#point(process);
    this.#session ??= process.reader.session();
    this.#scan(this.#session);
    if (dice.chance(0.2)) this.leave(process);
    return true;
  }

  #rows(table: string, at: TableFrontier): readonly ModelRow[] {
    const { model } = this.#env;
    const cut = model.cutOf(at.positions);
    const query = derivedTables.find(({ name }) => name === table);
    return JSON.parse(query ? model.derivedRows(query, cut) : model.baseRows(table, cut)) as ModelRow[];
  }

  #scan(session: ReadSession): void {
    const { dice } = this.#env;
    const table = dice.pick(tables);
    const found = session.tables().find(({ spec, visible }) => spec.name === table && visible);
    if (found === undefined) return;
    const bound = () => ({ value: dice.between(0, 13), inclusive: dice.chance(0.5) });
    const lower = dice.chance(0.5) ? bound() : undefined;
    const upper = dice.chance(0.5) ? bound() : undefined;
    const after = dice.chance(0.3) ? dice.between(0, 13) : undefined;
    const reverse = dice.chance(0.3);
    const request: ScanRequest = { table, lower, upper, reverse, after: after === undefined ? undefined : [after] };
    const limit = dice.between(1, 20);
    const isWanted = (key: number): boolean =>
      (!lower || key > lower.value || (lower.inclusive && key === lower.value)) &&
      (!upper || key < upper.value || (upper.inclusive && key === upper.value)) &&
      (after === undefined || (reverse ? key < after : key > after));
    const all = this.#rows(table, found.frontier).filter(([key]) => isWanted(key as number));
    const wanted = JSON.stringify((reverse ? all.toReversed() : all).slice(0, limit));
    const rows: unknown[] = [];
    for (const { row } of session.scan(request)) {
      rows.push(row);
      if (rows.length === limit) break;
    }
    if (JSON.stringify(rows) !== wanted)
      this.#env.breach(`${JSON.stringify(request)} gives ${JSON.stringify(rows)}, not ${wanted}`);
    const key = dice.between(0, 13);
    const one = JSON.stringify(session.get(table, [key])?.row);
    const row = JSON.stringify(this.#rows(table, found.frontier).find(([first]) => first === key));
    if (one !== row) this.#env.breach(`key ${key} of ${table} in a cut is ${one}, not ${row}`);
  }

  #point(process: SimulatedProcess): boolean {
    const { dice, breach } = this.#env;
    const table = dice.pick(tables);
    const key = dice.between(0, 13);
    try {
      const { found, frontier } = process.reader.point(table, () => [key], this.#told);
      if (frontier.stopped !== true && frontier.seq < this.#told)
        breach(`a row of ${table} is of seq ${frontier.seq}, seq ${this.#told} was told before`);
      const wanted = JSON.stringify(this.#rows(table, frontier).find(([first]) => first === key));
      if (JSON.stringify(found?.row) !== wanted)
        breach(`key ${key} of ${table} is ${JSON.stringify(found?.row)}, not ${wanted}`);
    } catch (error) {
      if (!(error instanceof AppError) || !refusals.has(error.code)) throw error;
    }
    return true;
  }
}
