// A client that sends one statement after the other, and what it was told. The history of a name must fit one order: each answer lies
// somewhere between call and answer; a call whose process died may have happened, or not.
import { toAppError } from '../../src/core/errors.js';
import type { Dice } from '../support/harness/dice.js';
import { derivedTables } from './model.js';
import type { SimulatedProcess } from './process.js';
import type { NameHistory } from './name-history.js';
import type { VirtualLoop } from './virtual-loop.js';

/** What a statement may be refused with while others come and go; anything else is a breach. */
const refusals = new Set([
  'already-exists',
  'unknown-table',
  'invalid-statement',
  'detached',
  'snapshotting',
  'rebuild-running',
  'bad-record',
  'unknown-topic',
]);

export interface ClientEnv {
  readonly loop: VirtualLoop;
  readonly dice: Dice;
  readonly names: NameHistory;
  /** DROP leaves topics, which the next table of the name then goes on with. */
  readonly keepsTopics: boolean;
  readonly note: (text: string) => void;
  readonly breach: (text: string) => void;
}

type Call =
  | { readonly kind: 'create' | 'drop'; readonly name: string; readonly sql: string }
  | { readonly kind: 'other'; readonly sql: string }
  | { readonly kind: 'rebuild'; readonly name: string }
  | { readonly kind: 'control'; readonly action: 'PAUSE' | 'TERMINATE'; readonly name: string };

/** As it stands in the history. */
function textOf(call: Call): string {
  if (call.kind === 'rebuild') return `rebuild ${call.name}`;
  return call.kind === 'control' ? `${call.action} the query of ${call.name}` : call.sql;
}

async function run(process: SimulatedProcess, call: Call): Promise<void> {
  if (call.kind === 'rebuild') return void (await process.api.rebuild(call.name));
  if (call.kind !== 'control') return void (await process.api.execute({ sql: call.sql, owner: 'api' }));
  const query = (await process.api.queries()).find(({ sink }) => sink === call.name);
  if (query) await process.api.execute({ sql: `${call.action} ${query.id};`, owner: 'api' });
}

export class ClientActor {
  readonly name: string;
  readonly #env: ClientEnv;
  #process: SimulatedProcess | undefined;
  #busy = false;

  constructor(name: string, env: ClientEnv) {
    this.name = name;
    this.#env = env;
  }

  /** Nothing that it asked of this process is unanswered. */
  isIdle(process: SimulatedProcess): boolean {
    return !(this.#busy && this.#process === process);
  }

  act(process: SimulatedProcess): boolean {
    if (!this.isIdle(process)) return false;
    this.#process = process;
    const call = this.#choose(process);
    this.#busy = true;
    const { names, note, breach } = this.#env;
    const text = textOf(call);
    note(`${this.name}: ${text}`);
    const open = call.kind === 'create' || call.kind === 'drop' ? names.called(call.name, call.kind) : undefined;
    const answered = (code: string, detail?: string): void => {
      if (this.#process !== process || process.state === 'gone') return;
      this.#busy = false;
      note(`${this.name}: ${text} -> ${code}`);
      if (process.state === 'full' && code === 'internal')
        breach(`"${text}" on a full disk was answered ${code}: ${detail}`);
      if (process.state !== 'up') return;
      if (code !== 'ok' && !refusals.has(code)) breach(`"${text}" was answered ${code}: ${detail}`);
      if (open) names.answered(open, code);
    };
    // Over the thread's port: later, and the answer later still.
    const { loop } = this.#env;
    loop.post(`${this.name} -> engine`, () => {
      void run(process, call).then(
        () => loop.post(`${this.name} <- engine`, () => answered('ok')),
        (error: unknown) => {
          const { code, message } = toAppError(error);
          loop.post(`${this.name} <- engine`, () => answered(code, message));
        },
      );
    });
    return true;
  }

  #choose(process: SimulatedProcess): Call {
    const { dice } = this.#env;
    const { there, built } = process.derived();
    const roll = dice.next();
    const some = (wanted: readonly string[]): string =>
      wanted.length > 0 && dice.chance(0.7) ? dice.pick(wanted) : dice.pick(derivedTables).name;
    if (roll < 0.45) {
      const name = some(derivedTables.map((table) => table.name).filter((table) => !there.includes(table)));
      return { kind: 'create', name, sql: `CREATE TABLE ${name} AS ${sqlOf(name)};` };
    }
    if (roll < 0.6) {
      const name = some(there);
      const end = this.#env.keepsTopics && dice.chance(0.5) ? '' : ' DELETE TOPIC';
      return { kind: 'drop', name, sql: `DROP TABLE ${name}${end};` };
    }
    if (roll < 0.87) return { kind: 'rebuild', name: dice.chance(0.3) ? dice.pick(['a', 'b', 'e']) : some(there) };
    const name = some(dice.chance(0.5) ? built : there);
    if (roll < 0.92) return { kind: 'control', action: roll < 0.91 ? 'PAUSE' : 'TERMINATE', name };
    return { kind: 'other', sql: dice.pick(['SHOW TABLES;', 'SHOW QUERIES;', `DESCRIBE ${name};`]) };
  }
}

function sqlOf(name: string): string {
  return derivedTables.find((table) => table.name === name)!.sql;
}
