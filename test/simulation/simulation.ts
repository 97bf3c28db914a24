// The world of one seed: a source of transactions per connector, clients, subscribers and one process at a time, which is stopped or killed
// at any step and at any failpoint and started again on what its disk holds. The dice choose everything. A run ends with everything at
// rest, and is a function of its seed and options: the same hash of the same history.
import { createHash } from 'node:crypto';
import { onFailpoint } from '../../src/core/failpoint.js';
import type { EngineOptions } from '../../src/engine/engine-api.js';
import { createDice, type Dice } from '../support/harness/dice.js';
import { CaptureActor } from './capture-actor.js';
import { checkCut, printedRows } from './checks.js';
import { checkAtRest } from './at-rest.js';
import { Bounds } from './bounds.js';
import { ClientActor } from './client-actor.js';
import { SimulatedDisk, type Image, type JournalledFolder } from './disk.js';
import { derivedTables, Model, ModelSource } from './model.js';
import { plantFullDisk } from './full-disk.js';
import { NameHistory } from './name-history.js';
import { plantMemoryLaw } from './memory-law.js';
import { plantPoison } from './poison.js';
import { SimulatedProcess } from './process.js';
import { ReaderActor } from './reader-actor.js';
import { Standing } from './standing.js';
import { StreamActor } from './stream-actor.js';
import { SubscriberActor } from './subscriber-actor.js';
import { VirtualLoop } from './virtual-loop.js';

export const actorKinds = [
  'clients',
  'subscribers',
  'streams',
  'kills',
  'failpoints',
  'stops',
  'poison',
  'broken',
  'long',
  'again',
  'readers',
  'full',
] as const;
export type ActorKind = (typeof actorKinds)[number];

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  /** Left out; for finding the smallest run that fails. */
  readonly without?: readonly ActorKind[] | undefined;
  /** Kills take the power away as well. */
  readonly journalled?: JournalledFolder | undefined;
}

export interface SimulationResult {
  /** The first is what went wrong; empty: nothing did. */
  readonly breaches: readonly string[];
  readonly history: readonly string[];
  readonly hash: string;
  readonly figures: Readonly<Record<string, number>>;
}

class Killed extends Error {
  override readonly name = 'Killed';
}

const restSteps = 20_000;
class World {
  readonly #options: SimulationOptions;
  readonly #dice: Dice;
  readonly #loop: VirtualLoop;
  readonly #disk: SimulatedDisk;
  readonly #model = new Model([new ModelSource('c', ['a', 'b']), new ModelSource('d', ['e'])]);
  readonly #captures: readonly CaptureActor[];
  readonly #clients: readonly ClientActor[];
  readonly #subscribers: readonly SubscriberActor[];
  readonly #readers: readonly ReaderActor[];
  readonly #streams: StreamActor | undefined;
  readonly #bounds: Bounds;
  readonly #standing: Standing;
  readonly #names: NameHistory;
  readonly #engineOptions: EngineOptions;
  readonly history: string[] = [];
  readonly breaches: string[] = [];
  readonly figures = { kills: 0, failpoints: 0, stops: 0, full: 0, failures: 0, commits: 0, cuts: 0, steps: 0 };
  #process!: SimulatedProcess;
  #killed: Image | undefined;
  #seq = 0;
  #steps = 0;
  #failpointChance = 0;
  #killChance = 0;
  #fullChance = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#dice = createDice(options.seed);
    const dice = this.#dice;
    this.#disk = new SimulatedDisk(options.journalled);
    this.#loop = new VirtualLoop(dice.fork('loop'));
    const chance = (kind: ActorKind, most: number): number =>
      this.#has(kind) && dice.chance(0.6) ? dice.next() * most : 0;
    this.#killChance = chance('kills', 0.01);
    this.#failpointChance = chance('failpoints', 0.01);
    this.#fullChance = dice.chance(0.5) ? chance('full', 0.001) : 0;
    const chances = {
      poison: chance('poison', 0.2),
      broken: chance('broken', 0.04),
      long: chance('long', 0.01),
      again: chance('again', 0.2),
    };
    const keepsTopics = dice.chance(0.5);
    this.#keepsTopics = keepsTopics;
    this.#engineOptions = {
      dataFolder: this.#disk.folder,
      // Without syncs a power loss takes commits back, and with them what everybody was told.
      durability: dice.chance(0.8) || options.journalled ? 'full' : 'normal',
      serviceId: 'writethrough',
      strict: false,
      role: 'leader',
      stream: { kind: 'embedded' },
      feed: dice.chance(0.5)
        ? { ms: 86_400_000, bytes: 1024 ** 3 }
        : { ms: 86_400_000, bytes: dice.between(1, 20) * 1024 },
      properties: {},
      rowsPerStep: dice.between(1, 3),
      rowsAtOnce: dice.between(1, 5),
    };
    const breach = (text: string): void => this.#breach(text);
    const note = (text: string): void => this.#note(text);
    this.#bounds = new Bounds(breach);
    this.#standing = new Standing(breach);
    this.#names = new NameHistory(
      derivedTables.map(({ name }) => name),
      breach,
    );
    this.#captures = this.#model.sources.map(
      (source) =>
        new CaptureActor(source, dice.fork(source.connector), chances, (error) =>
          breach(`connector ${source.connector} ended: ${error.code} ${error.message}`),
        ),
    );
    const clientCount = this.#has('clients') ? dice.between(1, 3) : 0;
    this.#clients = Array.from(
      { length: clientCount },
      (_, i) =>
        new ClientActor(`client ${i}`, {
          loop: this.#loop,
          dice: dice.fork(`client ${i}`),
          names: this.#names,
          keepsTopics,
          note,
          breach,
        }),
    );
    // Several of one table, at their own paces.
    const read = ['a', 'a', 'e', 'big', 'by_g', dice.pick(derivedTables).name, dice.pick(derivedTables).name];
    this.#subscribers = this.#has('subscribers')
      ? read.map((table, i) => new SubscriberActor(table, { dice: dice.fork(`${table} ${i}`), note, breach }))
      : [];
    this.#readers = this.#has('readers')
      ? [0, 1].map((i) => new ReaderActor({ model: this.#model, dice: dice.fork(`reader ${i}`), breach }))
      : [];
    this.#streams = this.#has('streams') ? new StreamActor(this.#loop, dice.fork('streams'), breach) : undefined;
  }

  readonly #keepsTopics: boolean;

  #has(kind: ActorKind): boolean {
    return this.#options.without?.includes(kind) !== true;
  }

  #note(text: string): void {
    this.history.push(`${this.#steps} ${text}`);
  }

  #breach(text: string): void {
    this.breaches.push(`step ${this.#steps}: ${text}`);
    this.#note(`BREACH ${text}`);
  }

  async run(): Promise<void> {
    this.#loop.install();
    const takePoison = plantPoison();
    const forgetMemory = plantMemoryLaw((text) => this.#breach(text));
    const makeRoom = plantFullDisk({
      path: this.#disk.path,
      isFull: () => this.#isFull(),
      rollsBack: () => this.#dice.chance(0.5),
    });
    onFailpoint((name) => this.#atFailpoint(name));
    try {
      this.#start();
      while (this.#steps < this.#options.steps && this.breaches.length === 0) await this.#step(true);
      this.#killChance = 0;
      this.#failpointChance = 0;
      this.#fullChance = 0;
      if (this.breaches.length === 0) await this.#rest();
    } finally {
      onFailpoint(undefined);
      takePoison();
      makeRoom();
      forgetMemory();
      this.#process.state = 'gone';
      this.#loop.die();
      await VirtualLoop.settle();
      this.#loop.uninstall();
      this.#disk.remove();
      this.#model.close();
      this.figures.steps = this.#steps;
    }
  }

  #start(): void {
    this.#note('start');
    this.#loop.revive();
    this.#process = new SimulatedProcess({
      loop: this.#loop,
      options: this.#engineOptions,
      databasePath: this.#disk.path,
      onCommitted: (process, seq) => this.#committed(process, seq),
      onFailed: (process, error) => this.#failed(process, error),
      onLog: (level, message, fields) => {
        if (level !== 'debug') this.#note(`${level}: ${message} ${JSON.stringify(fields)}`);
        if (!Array.isArray(fields['stopped'])) return;
        this.figures.failures++;
        this.#standing.failed(fields['stopped'] as readonly string[], this.#loop.wallMs);
      },
      bounds: this.#bounds,
    });
    this.#process.start();
  }

  #failed(process: SimulatedProcess, error: unknown): void {
    const code = (error as { readonly code?: unknown }).code;
    if (process.state === 'full' && code === 'data-folder-unusable') return;
    this.#breach(`the process ended: ${error instanceof Error ? error.stack : JSON.stringify(error)}`);
  }

  /** A write of the engine. From then on it says that it has failed, and ends; what it has answered holds. */
  #isFull(): boolean {
    const process = this.#process;
    if (process.state === 'full') return true;
    if (process.state === 'gone' || !this.#dice.chance(this.#fullChance)) return false;
    this.figures.full++;
    this.#note('the disk is full');
    process.state = 'full';
    return true;
  }

  #committed(process: SimulatedProcess, seq: number): void {
    this.figures.commits++;
    if (seq < this.#seq) this.#breach(`commit ${seq} is told after ${this.#seq}`);
    this.#seq = seq;
    for (const reader of this.#readers) reader.committed(process, seq);
    if (process.up && this.#dice.chance(0.15)) this.#checkCut(process);
  }

  #checkCut(process: SimulatedProcess): void {
    this.figures.cuts++;
    process.session((session) => {
      checkCut(session, this.#model, (text) => this.#breach(text));
      this.#standing.checkCut(session);
    });
  }

  /** One task of the program, or one act of those who use it. */
  async #step(lively: boolean): Promise<void> {
    this.#steps++;
    const process = this.#process;
    if (process.state === 'gone') this.#start();
    else if (this.#dice.chance(process.state === 'full' ? 0.05 : this.#killChance)) this.#kill();
    else if (process.up && lively && this.#has('stops') && this.#dice.chance(0.002)) {
      this.figures.stops++;
      this.#stop();
    } else if (!process.up || this.#dice.chance(0.6) || !this.#act(process, lively)) this.#task();
    await VirtualLoop.settle();
    if (this.#killed !== undefined) this.#bury();
    else this.#bounds.checkTasks(this.#loop.waiting);
  }

  #stop(): void {
    this.#note('stop');
    for (const reader of this.#readers) reader.leave(this.#process);
    this.#process.stop();
  }

  #task(): void {
    try {
      this.#loop.step();
    } catch (error) {
      // Thrown through a listener or timer of the program itself, where nothing could take it.
      if (!(error instanceof Killed))
        this.#breach(`a task threw: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }

  #act(process: SimulatedProcess, lively: boolean): boolean {
    const roll = this.#dice.next();
    if (roll < 0.45) return this.#dice.pick(this.#captures).act(process, lively);
    if (roll < 0.6) return lively && this.#clients.length > 0 && this.#dice.pick(this.#clients).act(process);
    if (roll < 0.65) return lively && this.#streams?.act(process) === true;
    if (roll < 0.9) return this.#subscribers.length > 0 && this.#dice.pick(this.#subscribers).act(process, lively);
    if (roll < 0.95) return this.#readers.length > 0 && this.#dice.pick(this.#readers).act(process);
    process.checkpointer.step();
    return true;
  }

  #atFailpoint(name: string): void {
    if (this.#killed !== undefined || !this.#dice.chance(this.#failpointChance)) return;
    this.figures.failpoints++;
    this.#note(`killed at ${name}`);
    this.#die();
    throw new Killed();
  }

  #kill(): void {
    this.figures.kills++;
    this.#note('killed');
    this.#die();
  }

  /** From here on nothing of the process has an effect. */
  #die(): void {
    this.#killed = this.#disk.image(this.#options.journalled && this.#dice.between(1, 2 ** 30));
    this.#process.state = 'gone';
    this.#loop.die();
  }

  #bury(): void {
    this.#disk.restore(this.#killed!);
    this.#killed = undefined;
  }

  /** Nothing new happens; what is under way comes to its end, and then everything is compared. */
  async #rest(): Promise<void> {
    await this.#quiet();
    if (this.breaches.length > 0) return;
    await this.#checkAll();
    if (this.breaches.length > 0) return;
    const before = this.#contents();
    this.#stop();
    await this.#until(() => this.#process.state === 'gone', 'the process stops');
    this.#start();
    await this.#quiet();
    if (this.breaches.length > 0) return;
    await this.#checkAll();
    if (before !== this.#contents())
      this.#breach(`a restart at rest has changed the tables: ${before} became ${this.#contents()}`);
  }

  #contents(): string {
    const tables = ['a', 'b', 'e', ...derivedTables.map(({ name }) => name)];
    return JSON.stringify(tables.map((table) => [table, printedRows(this.#process, table)]));
  }

  async #quiet(): Promise<void> {
    let calm = 0;
    await this.#until(() => {
      const process = this.#process;
      const atRest =
        process.up &&
        [...this.#captures, ...this.#clients, ...this.#subscribers].every((actor) => actor.isIdle(process)) &&
        this.#streams?.isIdle(process) !== false &&
        !this.#loop.busy;
      calm = atRest ? calm + 1 : 0;
      return calm > 50;
    }, 'everything comes to rest');
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < restSteps && this.breaches.length === 0; i++) {
      if (done()) return;
      await this.#step(false);
    }
    if (this.breaches.length === 0) this.#breach(`not within ${restSteps} steps: ${what}`);
  }

  async #checkAll(): Promise<void> {
    this.#checkCut(this.#process);
    await checkAtRest(this.#process, {
      model: this.#model,
      names: this.#names,
      streams: this.#streams,
      subscribers: this.#subscribers,
      standing: this.#standing,
      bounds: this.#bounds,
      keepsTopics: this.#keepsTopics,
      breach: (text) => this.#breach(text),
    });
  }
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new World(options);
  await world.run();
  const hash = createHash('sha256').update(world.history.join('\n')).digest('hex').slice(0, 16);
  return { breaches: world.breaches, history: world.history, hash, figures: world.figures };
}
