// The world of one seed: a source of transactions per connector, clients, subscribers and one process at a time, which is stopped or killed
// at any step and at any failpoint and started again on what its disk holds; over Kafka a second one beside it that follows, and leads
// when the first is gone, or before. The dice choose everything. A run ends with everything at rest, and is a function of its seed and
// options: the same hash of the same history.
import { createHash } from 'node:crypto';
import { onFailpoint } from '../../src/core/failpoint.js';
import { createDice, type Dice } from '../support/harness/dice.js';
import { ownerless } from '../support/ownerless.js';
import { checkCut, printedRows } from './checks.js';
import { createActors, type Actors } from './actors.js';
import { checkAtRest } from './at-rest.js';
import { Bounds } from './bounds.js';
import type { JournalledFolder } from './disk.js';
import { derivedTables, Model, ModelSource } from './model.js';
import { plantFullDisk } from './full-disk.js';
import { SimulatedKafka } from './kafka/kafka.js';
import { plantMemoryLaw } from './memory-law.js';
import { Place } from './place.js';
import { plantPoison } from './poison.js';
import { SimulatedProcess } from './process.js';
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
  readonly #model = new Model([new ModelSource('c', ['a', 'b']), new ModelSource('d', ['e'])]);
  readonly #actors: Actors;
  readonly #bounds: Bounds;
  readonly #places: readonly Place[];
  /** Of the place that leads. */
  #leads = 0;
  /** What becomes of the follower. */
  readonly #followerDice: Dice;
  readonly history: string[] = [];
  readonly breaches: string[] = [];
  readonly figures = {
    kills: 0,
    failpoints: 0,
    stops: 0,
    full: 0,
    failures: 0,
    wipes: 0,
    takeovers: 0,
    usurpations: 0,
    commits: 0,
    cuts: 0,
    steps: 0,
  };
  #steps = 0;
  readonly #chances: Chances;
  /** Of what goes wrong, until everything comes to rest. */
  #now: Pick<Chances, 'kill' | 'stop' | 'failpoint' | 'full' | 'wipe' | 'follower'>;
  readonly #kafka: SimulatedKafka | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#dice = createDice(options.seed);
    const dice = this.#dice;
    this.#loop = new VirtualLoop(dice.fork('loop'));
    const log = options.log ?? 'embedded';
    const { journalled, without = [] } = options;
    const powerLoss = journalled !== undefined;
    const drawn = drawChances(dice, { log, without, powerLoss });
    this.#chances = drawn;
    this.#now = { ...drawn };
    if (log === 'kafka') this.#kafka = new SimulatedKafka(this.#loop, dice.fork('kafka'), drawn.network);
    this.#followerDice = dice.fork('who leads');
    const breach = (text: string): void => this.#breach(text);
    const note = (text: string): void => this.#note(text);
    this.#bounds = new Bounds(breach);
    const engineOptions = drawEngineOptions(dice, { log, powerLoss });
    const names = drawn.follower ? ['one', 'two'] : ['one'];
    this.#places = names.map((name) => new Place(name, engineOptions, { journalled, breach }));
    this.#actors = createActors({
      dice,
      loop: this.#loop,
      model: this.#model,
      chances: drawn,
      without,
      note,
      breach,
    });
  }

  get #leader(): Place {
    return this.#places[this.#leads]!;
  }

  get #process(): SimulatedProcess {
    return this.#leader.process;
  }

  get #follower(): Place | undefined {
    return this.#places[1 - this.#leads];
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
    const makeRoom = this.#places.map((place) =>
      plantFullDisk({
        path: place.disk.path,
        isFull: () => this.#isFull(place),
        rollsBack: () => this.#dice.chance(0.5),
      }),
    );
    onFailpoint((name) => this.#atFailpoint(name));
    try {
      await this.#startAll();
      while (this.#steps < this.#options.steps && this.breaches.length === 0) await this.#step(true);
      this.#now = { kill: 0, stop: 0, failpoint: 0, full: 0, wipe: 0, follower: undefined };
      this.#kafka?.calm();
      if (this.breaches.length === 0) await this.#rest();
    } finally {
      onFailpoint(undefined);
      takeKafka?.();
      takePoison();
      for (const make of makeRoom.toReversed()) make();
      forgetMemory();
      for (const { process } of this.#places) {
        process.state = 'gone';
        this.#loop.end(process.life);
      }
      await VirtualLoop.settle();
      this.#loop.uninstall();
      for (const { disk } of this.#places.toReversed()) disk.remove();
      this.#model.close();
      this.figures.steps = this.#steps;
    }
  }

  /** Of the follower beside its leader. */
  #at(place: Place): string {
    return place === this.#leader ? '' : `${place.name}: `;
  }

  #begin(place: Place): void {
    if (this.#dice.chance(this.#now.wipe)) {
      this.figures.wipes++;
      this.#note(`${this.#at(place)}the data folder is deleted`);
      place.wipe();
    }
    this.#start(place);
  }

  #start(place: Place): void {
    this.#note(`${this.#at(place)}start`);
    place.process = new SimulatedProcess({
      loop: this.#loop,
      options: place.options(place === this.#leader ? 'leader' : 'follower'),
      databasePath: place.disk.path,
      onCommitted: (process, seq) => this.#committed(place, process, seq),
      onFailed: (process, error) => this.#failed(place, process, error),
      onLog: (level, message, fields) => {
        if (level !== 'debug') this.#note(`${this.#at(place)}${level}: ${message} ${JSON.stringify(fields)}`);
        if (!Array.isArray(fields['stopped'])) return;
        this.figures.failures++;
        place.standing.failed(fields['stopped'] as readonly string[], this.#loop.wallMs);
      },
      bounds: this.#bounds,
    });
    place.process.start();
  }

  /** One after the other: what one waits for outside of the loop goes on while it is the current one. */
  async #startAll(): Promise<void> {
    for (const place of this.#places) {
      this.#start(place);
      await VirtualLoop.settle();
      this.#bury(place);
    }
  }

  #failed(place: Place, process: SimulatedProcess, error: unknown): void {
    const code = (error as { readonly code?: unknown }).code;
    if (process.state === 'full' && code === 'data-folder-unusable') return;
    if (process.state === 'deposed' && code === 'producer-fenced') {
      this.#note(`${this.#at(place)}learns that another one leads`);
      return this.#die(place);
    }
    this.#breach(
      `${this.#at(place)}the process ended: ${error instanceof Error ? error.stack : JSON.stringify(error)}`,
    );
  }

  /** A write of the engine. From then on it says that it has failed, and ends; what it has answered holds. */
  #isFull(place: Place): boolean {
    const { process } = place;
    if (process.state === 'full') return true;
    if (process.state === 'gone' || process.state === 'deposed' || !this.#dice.chance(this.#now.full)) return false;
    this.figures.full++;
    this.#note(`${this.#at(place)}the disk is full`);
    process.state = 'full';
    return true;
  }

  #committed(place: Place, process: SimulatedProcess, seq: number): void {
    this.figures.commits++;
    if (seq < place.seq) this.#breach(`${this.#at(place)}commit ${seq} is told after ${place.seq}`);
    place.seq = seq;
    const { readers } = this.#actors;
    for (const [i, reader] of readers.entries()) if (this.#readsAt(i) === place) reader.committed(process, seq);
    if (process.up && this.#dice.chance(0.15)) this.#checkCut(place);
  }

  /** Readers are spread over the places. */
  #readsAt(reader: number): Place {
    return this.#places[reader % this.#places.length]!;
  }

  #checkCut({ process, standing }: Place): void {
    this.figures.cuts++;
    process.session((session) => {
      checkCut(session, this.#model, (text) => this.#breach(text));
      standing.checkCut(session);
    });
  }

  /** One task of the program, or one act of those who use it. */
  async #step(lively: boolean): Promise<void> {
    this.#steps++;
    if (!this.#isRoleChanged()) this.#stepOf(this.#place(), lively);
    await VirtualLoop.settle();
    for (const place of this.#places) this.#bury(place);
    this.#bounds.checkTasks(this.#loop.waiting);
  }

  /** Whose turn it is to live or die. */
  #place(): Place {
    const gone = this.#places.find(({ process }) => process.state === 'gone');
    if (gone) return gone;
    const follower = this.#follower;
    return follower !== undefined && this.#followerDice.chance(0.3) ? follower : this.#leader;
  }

  #stepOf(place: Place, lively: boolean): void {
    const { process } = place;
    if (process.state === 'gone') this.#begin(place);
    else if (this.#dice.chance(dying(process) ?? this.#now.kill)) this.#kill(place);
    else if (process.up && lively && this.#dice.chance(this.#now.stop)) {
      this.figures.stops++;
      this.#stop(place);
    } else if (!process.up || this.#dice.chance(0.6) || !this.#act(place, lively)) this.#task();
  }

  /** The follower leads from here on: its process ends in order, and the next one over its folder leads. */
  #isRoleChanged(): boolean {
    const { follower } = this.#now;
    const next = this.#follower;
    const { state } = this.#process;
    if (follower === undefined || next?.process.up !== true || (state !== 'gone' && state !== 'up')) return false;
    if (!this.#followerDice.chance(state === 'gone' ? follower.takesOver : follower.usurps)) return false;
    this.figures[state === 'gone' ? 'takeovers' : 'usurpations']++;
    this.#note(`${next.name} leads`);
    if (state === 'up') this.#process.state = 'deposed';
    this.#leads = 1 - this.#leads;
    this.#stop(next);
    return true;
  }

  #stop(place: Place): void {
    this.#note(`${this.#at(place)}stop`);
    for (const reader of this.#actors.readers) reader.leave(place.process);
    place.process.stop();
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

  #act(place: Place, lively: boolean): boolean {
    const { process } = place;
    const { captures, clients, streams, subscribers, readers } = this.#actors;
    this.#loop.current = process.life;
    const roll = this.#dice.next();
    if (roll < 0.9 && roll >= 0.65) return subscribers.length > 0 && this.#subscribe(place, lively);
    if (roll < 0.95 && roll >= 0.9) return readers.length > 0 && this.#read(process);
    if (roll >= 0.95) {
      process.checkpointer.step();
      return true;
    }
    if (place !== this.#leader) return false;
    if (roll < 0.45) return this.#dice.pick(captures).act(process, lively);
    if (roll < 0.6) return lively && clients.length > 0 && this.#dice.pick(clients).act(process);
    return lively && streams?.act(process) === true;
  }

  /** On either place; now and then one moves to the other. At rest all are where the leader is. */
  #subscribe(place: Place, lively: boolean): boolean {
    const subscriber = this.#dice.pick(this.#actors.subscribers);
    const { process } = place;
    const stays = subscriber.process?.up === true && subscriber.process !== process;
    const moves = lively ? this.#followerDice.chance(0.05) : place === this.#leader;
    if (stays && !moves) return false;
    return (lively || place === this.#leader) && subscriber.act(process, lively);
  }

  #read(process: SimulatedProcess): boolean {
    const reader = this.#dice.pick(this.#actors.readers);
    return this.#readsAt(this.#actors.readers.indexOf(reader)).process === process && reader.act(process);
  }

  #atFailpoint(name: string): void {
    const place = this.#places.find(({ process }) => process.life === this.#loop.current);
    if (place === undefined || place.killed !== undefined || !this.#dice.chance(this.#now.failpoint)) return;
    this.figures.failpoints++;
    this.#note(`${this.#at(place)}killed at ${name}`);
    this.#die(place);
    throw new Killed();
  }

  #kill(place: Place): void {
    this.figures.kills++;
    this.#note(`${this.#at(place)}killed`);
    this.#die(place);
  }

  /** From here on nothing of the process has an effect. */
  #die(place: Place): void {
    place.killed = place.disk.image(this.#options.journalled && this.#dice.between(1, 2 ** 30));
    place.process.state = 'gone';
    this.#loop.end(place.process.life);
  }

  #bury(place: Place): void {
    if (place.killed === undefined) return;
    place.disk.restore(place.killed);
    place.killed = undefined;
  }

  /** Nothing new happens; what is under way comes to its end, and then everything is compared. */
  async #rest(): Promise<void> {
    await this.#quiet();
    if (this.breaches.length > 0) return;
    await this.#checkAll();
    if (this.breaches.length > 0) return;
    const before = this.#contents(this.#leader);
    for (const place of this.#places) this.#stop(place);
    await this.#until(
      () => this.#places.every(({ process }) => process.state === 'gone'),
      () => 'the process stops',
    );
    await this.#startAll();
    await this.#quiet();
    if (this.breaches.length > 0) return;
    await this.#checkAll();
    const after = this.#contents(this.#leader);
    if (before !== after) this.#breach(`a restart at rest has changed the tables: ${before} became ${after}`);
  }

  /** At one seq of one log: the same tables, definitions, queries and connectors. */
  #checkAlike(one: Place, other: Place): void {
    const [a, b] = [one, other].map((place) => ({ rows: this.#contents(place), defined: definitions(place.process) }));
    if (a!.rows !== b!.rows) this.#breach(`${one.name} has ${a!.rows}, ${other.name} has ${b!.rows}`);
    if (a!.defined !== b!.defined) this.#breach(`${one.name} knows ${a!.defined}, ${other.name} knows ${b!.defined}`);
  }

  #contents({ process }: Place): string {
    const tables = ['a', 'b', 'e', ...derivedTables.map(({ name }) => name)];
    return JSON.stringify(tables.map((table) => [table, printedRows(process, table)]));
  }

  async #quiet(): Promise<void> {
    let calm = 0;
    let seq: number | undefined;
    // On Kafka something always waits at the end of the log, so nothing new for long has to do.
    const enough = this.#kafka ? 120 : 50;
    await this.#until(
      () => {
        calm = this.#unrest() === undefined && seq === this.#leader.seq ? calm + 1 : 0;
        seq = this.#leader.seq;
        return calm > enough;
      },
      () => `everything comes to rest: ${this.#unrest()}`,
    );
  }

  /** What is still under way. */
  #unrest(): string | undefined {
    const process = this.#process;
    if (!process.up) return process.state;
    const follower = this.#follower;
    if (follower && (!follower.process.up || follower.seq !== this.#leader.seq))
      return `the follower, which is ${follower.process.state} at ${follower.seq} of ${this.#leader.seq}`;
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
    const left = (): string[] => this.#places.flatMap(({ disk }) => ownerless(disk.path));
    await this.#until(
      () => left().length === 0,
      () => `everything has an owner: ${left().join('; ')}`,
      ownerlessSteps,
    );
    for (const place of this.#places) this.#checkCut(place);
    const follower = this.#follower;
    if (follower) this.#checkAlike(this.#leader, follower);
    this.#kafka?.check(this.#leader.options('leader').serviceId, (text) => this.#breach(text));
    let isDone = false;
    this.#loop.current = this.#process.life;
    const checked = checkAtRest(this.#process, {
      log: this.#kafka ? 'kafka' : 'embedded',
      model: this.#model,
      names: this.#actors.names,
      streams: this.#actors.streams,
      subscribers: this.#actors.subscribers,
      standing: this.#leader.standing,
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

/** Sources and queries as they are stored. */
function definitions(process: SimulatedProcess): string {
  const kinds = ['source', 'query', 'connector'];
  return process.session((session) => JSON.stringify(kinds.map((kind) => [...session.documents(kind)])));
}

/** That a process which has to end does so now; undefined: it has not. */
function dying({ state }: SimulatedProcess): number | undefined {
  return state === 'full' || state === 'deposed' ? 0.05 : undefined;
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new World(options);
  await world.run();
  const hash = createHash('sha256').update(world.history.join('\n')).digest('hex').slice(0, 16);
  return { breaches: world.breaches, history: world.history, hash, figures: world.figures };
}
