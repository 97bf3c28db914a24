// The world of one seed: a source of transactions per connector, clients, subscribers and one process at a time, which is stopped or killed
// at any step and at any failpoint and started again on what its disk holds. The dice choose everything. A run ends with everything at
// rest, and is a function of its seed and options: the same hash of the same history.
import { createHash } from 'node:crypto';
import { onFailpoint } from '../../src/core/failpoint.js';
import type { EngineOptions } from '../../src/engine/engine-api.js';
import { createDice, type Dice } from '../support/harness/dice.js';
import { ownerless } from '../support/ownerless.js';
import { checkCut, printedRows } from './checks.js';
import { createActors, type Actors } from './actors.js';
import { checkAtRest } from './at-rest.js';
import { Bounds } from './bounds.js';
import { SimulatedDisk, type Image, type JournalledFolder } from './disk.js';
import { derivedTables, Model, ModelSource } from './model.js';
import { plantFullDisk } from './full-disk.js';
import { SimulatedKafka } from './kafka/kafka.js';
import { plantMemoryLaw } from './memory-law.js';
import { plantPoison } from './poison.js';
import { SimulatedProcess } from './process.js';
import { Standing } from './standing.js';
import { VirtualLoop } from './virtual-loop.js';
import { drawChances, drawEngineOptions, type ActorKind, type Chances, type LogKind } from './chances.js';

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  readonly log?: LogKind | undefined;
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
const ownerlessSteps = 3000;

class World {
  readonly #options: SimulationOptions;
  readonly #dice: Dice;
  readonly #loop: VirtualLoop;
  readonly #disk: SimulatedDisk;
  readonly #model = new Model([new ModelSource('c', ['a', 'b']), new ModelSource('d', ['e'])]);
  readonly #actors: Actors;
  readonly #bounds: Bounds;
  readonly #standing: Standing;
  readonly #engineOptions: EngineOptions;
  readonly history: string[] = [];
  readonly breaches: string[] = [];
  readonly figures = {
    kills: 0,
    failpoints: 0,
    stops: 0,
    full: 0,
    failures: 0,
    wipes: 0,
    commits: 0,
    cuts: 0,
    steps: 0,
  };
  #process!: SimulatedProcess;
  #killed: Image | undefined;
  #seq = 0;
  #steps = 0;
  readonly #chances: Chances;
  /** Of what goes wrong, until everything comes to rest. */
  #now: Pick<Chances, 'kill' | 'stop' | 'failpoint' | 'full' | 'wipe'>;
  readonly #kafka: SimulatedKafka | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#dice = createDice(options.seed);
    const dice = this.#dice;
    this.#disk = new SimulatedDisk(options.journalled);
    this.#loop = new VirtualLoop(dice.fork('loop'));
    const drawn = drawChances(dice, { log: options.log ?? 'embedded', without: options.without ?? [] });
    this.#chances = drawn;
    this.#now = { ...drawn };
    if (options.log === 'kafka') this.#kafka = new SimulatedKafka(this.#loop, dice.fork('kafka'), drawn.network);
    this.#engineOptions = drawEngineOptions(dice, {
      dataFolder: this.#disk.folder,
      log: options.log ?? 'embedded',
      powerLoss: options.journalled !== undefined,
    });
    const breach = (text: string): void => this.#breach(text);
    const note = (text: string): void => this.#note(text);
    this.#bounds = new Bounds(breach);
    this.#standing = new Standing(breach);
    this.#actors = createActors({
      dice,
      loop: this.#loop,
      model: this.#model,
      chances: drawn,
      without: options.without ?? [],
      note,
      breach,
    });
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
    const takeKafka = this.#kafka?.plant();
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
      this.#now = { kill: 0, stop: 0, failpoint: 0, full: 0, wipe: 0 };
      this.#kafka?.calm();
      if (this.breaches.length === 0) await this.#rest();
    } finally {
      onFailpoint(undefined);
      takeKafka?.();
      takePoison();
      makeRoom();
      forgetMemory();
      this.#process.state = 'gone';
      this.#loop.end(this.#process.life);
      await VirtualLoop.settle();
      this.#loop.uninstall();
      this.#disk.remove();
      this.#model.close();
      this.figures.steps = this.#steps;
    }
  }

  #begin(): void {
    if (this.#dice.chance(this.#now.wipe)) {
      this.figures.wipes++;
      this.#note('the data folder is deleted');
      this.#disk.restore(new Map());
      this.#seq = 0;
    }
    this.#start();
  }

  #start(): void {
    this.#note('start');
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
    if (process.state === 'gone' || !this.#dice.chance(this.#now.full)) return false;
    this.figures.full++;
    this.#note('the disk is full');
    process.state = 'full';
    return true;
  }

  #committed(process: SimulatedProcess, seq: number): void {
    this.figures.commits++;
    if (seq < this.#seq) this.#breach(`commit ${seq} is told after ${this.#seq}`);
    this.#seq = seq;
    for (const reader of this.#actors.readers) reader.committed(process, seq);
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
    if (process.state === 'gone') this.#begin();
    else if (this.#dice.chance(process.state === 'full' ? 0.05 : this.#now.kill)) this.#kill();
    else if (process.up && lively && this.#dice.chance(this.#now.stop)) {
      this.figures.stops++;
      this.#stop();
    } else if (!process.up || this.#dice.chance(0.6) || !this.#act(process, lively)) this.#task();
    await VirtualLoop.settle();
    if (this.#killed !== undefined) this.#bury();
    else this.#bounds.checkTasks(this.#loop.waiting);
  }

  #stop(): void {
    this.#note('stop');
    for (const reader of this.#actors.readers) reader.leave(this.#process);
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
    this.#loop.current = process.life;
    const roll = this.#dice.next();
    if (roll < 0.45) return this.#dice.pick(this.#actors.captures).act(process, lively);
    if (roll < 0.6)
      return lively && this.#actors.clients.length > 0 && this.#dice.pick(this.#actors.clients).act(process);
    if (roll < 0.65) return lively && this.#actors.streams?.act(process) === true;
    if (roll < 0.9)
      return this.#actors.subscribers.length > 0 && this.#dice.pick(this.#actors.subscribers).act(process, lively);
    if (roll < 0.95) return this.#actors.readers.length > 0 && this.#dice.pick(this.#actors.readers).act(process);
    process.checkpointer.step();
    return true;
  }

  #atFailpoint(name: string): void {
    if (this.#killed !== undefined || !this.#dice.chance(this.#now.failpoint)) return;
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
    this.#loop.end(this.#process.life);
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
    await this.#until(
      () => this.#process.state === 'gone',
      () => 'the process stops',
    );
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
    let seq: number | undefined;
    // On Kafka something always waits at the end of the log, so nothing new for long has to do.
    const enough = this.#kafka ? 120 : 50;
    await this.#until(
      () => {
        calm = this.#unrest() === undefined && seq === this.#seq ? calm + 1 : 0;
        seq = this.#seq;
        return calm > enough;
      },
      () => `everything comes to rest: ${this.#unrest()}`,
    );
  }

  /** What is still under way. */
  #unrest(): string | undefined {
    const process = this.#process;
    if (!process.up) return process.state;
    const busy = [...this.#actors.captures, ...this.#actors.clients, ...this.#actors.subscribers].find(
      (actor) => !actor.isIdle(process),
    );
    if (busy) return busy.name;
    if (this.#actors.streams?.isIdle(process) === false) return 'the client of the stream';
    if (this.#kafka) return this.#kafka.isQuiet ? undefined : 'a transaction of Kafka';
    return this.#loop.busy ? 'a task' : undefined;
  }

  async #until(done: () => boolean, what: () => string, steps = restSteps): Promise<void> {
    for (let i = 0; i < steps && this.breaches.length === 0; i++) {
      if (done()) return;
      await this.#step(false);
    }
    if (this.breaches.length === 0) this.#breach(`not within ${steps} steps: ${what()}`);
  }

  async #checkAll(): Promise<void> {
    // What is taken away is so behind the commit, when there is nothing else to do.
    const left = (): string[] => ownerless(this.#disk.path);
    await this.#until(
      () => left().length === 0,
      () => `everything has an owner: ${left().join('; ')}`,
      ownerlessSteps,
    );
    this.#checkCut(this.#process);
    this.#kafka?.check(this.#engineOptions.serviceId, (text) => this.#breach(text));
    let isDone = false;
    this.#loop.current = this.#process.life;
    const checked = checkAtRest(this.#process, {
      log: this.#kafka ? 'kafka' : 'embedded',
      model: this.#model,
      names: this.#actors.names,
      streams: this.#actors.streams,
      subscribers: this.#actors.subscribers,
      standing: this.#standing,
      bounds: this.#bounds,
      keepsTopics: this.#chances.keepsTopics,
      breach: (text) => this.#breach(text),
    }).finally(() => (isDone = true));
    // What is asked may go over the wire.
    await this.#until(
      () => isDone,
      () => 'all is compared',
    );
    if (isDone) await checked;
  }
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new World(options);
  await world.run();
  const hash = createHash('sha256').update(world.history.join('\n')).digest('hex').slice(0, 16);
  return { breaches: world.breaches, history: world.history, hash, figures: world.figures };
}
