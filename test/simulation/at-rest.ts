// What holds when everything has come to rest: all that was committed is in the topics and tables, each client's answers fit one order,
// every subscriber has what its table has, and nothing is left under way.
import type { Bounds } from './bounds.js';
import {
  checkApplied,
  checkKafkaTopics,
  checkSinks,
  checkTopics,
  printedRows,
  valuesOf,
  type Breach,
} from './checks.js';
import { derivedTables, type Model } from './model.js';
import type { NameHistory } from './name-history.js';
import type { SimulatedProcess } from './process.js';
import type { Standing } from './standing.js';
import type { StreamActor } from './stream-actor.js';
import type { SubscriberActor } from './subscriber-actor.js';

export interface RestEnv {
  readonly log: 'embedded' | 'kafka';
  readonly model: Model;
  readonly names: NameHistory;
  readonly streams: StreamActor | undefined;
  readonly subscribers: readonly SubscriberActor[];
  readonly standing: Standing;
  readonly bounds: Bounds;
  /** DROP may have left topics. */
  readonly keepsTopics: boolean;
  readonly breach: Breach;
}

export async function checkAtRest(process: SimulatedProcess, env: RestEnv): Promise<void> {
  const { log, model, names, streams, subscribers, standing, bounds, keepsTopics, breach } = env;
  checkApplied(process, model, breach);
  await (log === 'kafka' ? checkKafkaTopics : checkTopics)(process, model, breach);
  await standing.checkTopics(process);
  bounds.checkRest();
  if (!keepsTopics) await checkSinks(process, breach);
  if (streams) streams.check(await valuesOf(process, 'src'), await valuesOf(process, 'large'));
  const topics = new Set((await process.api.topics()).map(({ name }) => name));
  const there = new Set(process.session((session) => session.tables().map(({ spec }) => spec.name)));
  names.seen((name) => there.has(name));
  for (const { name } of derivedTables) {
    if (there.has(name) && !topics.has(name)) breach(`table ${name} has no topic`);
    if (!there.has(name) && topics.has(name) && !keepsTopics) breach(`topic ${name} has no table`);
  }
  for (const { table, state } of await process.api.rebuilds())
    if (state !== 'done' && state !== 'failed') breach(`the rebuild of ${table} is ${state} at rest`);
  for (const subscriber of subscribers) {
    const rows = printedRows(process, subscriber.table);
    if (rows !== undefined) subscriber.check(rows);
  }
}
