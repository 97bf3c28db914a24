// Those who use the simulated service.
import type { Dice } from '../support/harness/dice.js';
import { CaptureActor } from './capture-actor.js';
import type { ActorKind, Chances } from './chances.js';
import { ClientActor } from './client-actor.js';
import { derivedTables, type Model } from './model.js';
import { NameHistory } from './name-history.js';
import { ReaderActor } from './reader-actor.js';
import { StreamActor } from './stream-actor.js';
import { SubscriberActor } from './subscriber-actor.js';
import type { VirtualLoop } from './virtual-loop.js';

export interface Actors {
  readonly captures: readonly CaptureActor[];
  readonly clients: readonly ClientActor[];
  readonly subscribers: readonly SubscriberActor[];
  readonly readers: readonly ReaderActor[];
  readonly streams: StreamActor | undefined;
  /** What clients were told. */
  readonly names: NameHistory;
}

export interface ActorsEnv {
  readonly dice: Dice;
  readonly loop: VirtualLoop;
  readonly model: Model;
  readonly chances: Chances;
  readonly without: readonly ActorKind[];
  readonly note: (text: string) => void;
  readonly breach: (text: string) => void;
}

export function createActors({ dice, loop, model, chances, without, note, breach }: ActorsEnv): Actors {
  const has = (kind: ActorKind): boolean => !without.includes(kind);
  const { keepsTopics } = chances;
  const names = new NameHistory(
    derivedTables.map(({ name }) => name),
    breach,
  );
  const captures = model.sources.map(
    (source) =>
      new CaptureActor(source, dice.fork(source.connector), chances.capture, (error) =>
        breach(`connector ${source.connector} ended: ${error.code} ${error.message}`),
      ),
  );
  const clientCount = has('clients') ? dice.between(1, 3) : 0;
  const clients = Array.from(
    { length: clientCount },
    (_, i) =>
      new ClientActor(`client ${i}`, { loop, dice: dice.fork(`client ${i}`), names, keepsTopics, note, breach }),
  );
  // Several of one table, at their own paces.
  const read = ['a', 'a', 'e', 'big', 'by_g', dice.pick(derivedTables).name, dice.pick(derivedTables).name];
  const subscribers = has('subscribers')
    ? read.map((table, i) => new SubscriberActor(table, { dice: dice.fork(`${table} ${i}`), note, breach }))
    : [];
  const readers = has('readers')
    ? [0, 1].map((i) => new ReaderActor({ model, dice: dice.fork(`reader ${i}`), breach }))
    : [];
  const streams = has('streams') ? new StreamActor(loop, dice.fork('streams'), breach) : undefined;
  return { captures, clients, subscribers, readers, streams, names };
}
