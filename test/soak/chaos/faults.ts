// What happens in a round of chaos, to the process, to the way to its source, and to the source: each fault is one function, and leaves
// everything running but what it is about.
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../support/harness/app-process.js';
import type { Dice } from '../../support/harness/dice.js';
import { request } from '../../support/harness/http-client.js';
import type { SwitchedLink } from '../../support/harness/switched-link.js';
import { waitFor } from '../../support/harness/wait-for.js';
import { purgeBinlogs } from '../../support/servers/purge-binlogs.js';
import type { ReplicatedPair } from '../../support/servers/replicated-pair.js';
import { withConnection } from '../../support/servers/sql-client.js';
import { ledgerDatabase, type LedgerWriter } from './ledger.js';

export interface Scene {
  readonly app: App;
  readonly link: SwitchedLink;
  readonly pair: ReplicatedPair;
  readonly writer: LedgerWriter;
  readonly dice: Dice;
  readonly connector: string;
  /** What a stated error of the connector says to do is done. */
  mend(): Promise<void>;
  /** Begins with an empty folder and a first snapshot. */
  beginAnew(): Promise<void>;
}

export type FaultName = keyof typeof faults;

export const faults = {
  'kill -9 of the process': kill,
  'connections cut': cut,
  'stalled in a packet, then cut': (scene: Scene) => stall(scene, 'cut'),
  'stalled in a packet, then on': (scene: Scene) => stall(scene, 'resume'),
  'restart of the server': restart,
  'kill -9 of the server': crash,
  'binlog purged behind a stopped process': purge,
  'failover, orderly': failOver,
  'failover after kill -9 of the server': crashOver,
  'failover to a replica that lacks transactions': lossyFailOver,
  'reading again, interrupted': rereadInterrupted,
  'first snapshot, interrupted': firstInterrupted,
} as const;

const interruptions = [kill, cut, (scene: Scene) => stall(scene, 'cut'), crash];

async function kill({ app, dice }: Scene): Promise<void> {
  await app.kill();
  await sleep(dice.between(0, 300));
  await app.start({ waitReady: false });
}

async function cut({ link, dice }: Scene): Promise<void> {
  for (let times = dice.between(1, 3); times > 0; times--) {
    link.cut();
    await sleep(dice.between(0, 400));
  }
}

async function stall({ link, dice }: Scene, then: 'cut' | 'resume'): Promise<void> {
  const stalled = link.stall(dice.between(1, dice.pick([30, 3000, 300_000])));
  // Longer than the deadline of the connector, or shorter.
  await sleep(dice.pick([dice.between(100, 800), dice.between(4500, 7000)]));
  stalled[then]();
}

async function restart({ pair }: Scene): Promise<void> {
  await pair.primary.restart();
}

async function crash({ pair, dice }: Scene): Promise<void> {
  await pair.primary.kill();
  await sleep(dice.between(0, 300));
  await pair.primary.start();
}

/** Rows change and go while the process does not run, and what tells of them is purged. */
async function purge({ app, pair, writer, dice }: Scene): Promise<void> {
  if (dice.chance(0.5)) await app.kill();
  else await app.stop();
  await withConnection(pair.primary, async (connection) => {
    await connection.query(`USE ${ledgerDatabase}`);
    const from = dice.between(1, 1500);
    await connection.query(`DELETE FROM orders WHERE id BETWEEN ${from} AND ${from + 200}`);
    await connection.query(`DELETE FROM accounts WHERE id = ${dice.between(1, 300)}`);
    await connection.query('DELETE FROM tags LIMIT 10');
  });
  await sleep(dice.between(50, 400));
  await writer.pause();
  await pair.caughtUp();
  await withConnection(pair.primary, (connection) => connection.query('FLUSH BINARY LOGS'));
  await purgeBinlogs(pair.primary);
  writer.start();
  await app.start({ waitReady: false });
}

async function failOver({ pair, link, writer }: Scene): Promise<void> {
  await writer.pause();
  await pair.caughtUp();
  await pair.promote();
  link.target = pair.primary;
  link.cut();
  writer.start();
  await pair.follow();
}

async function crashOver({ pair, link, writer }: Scene): Promise<void> {
  await writer.pause();
  await pair.caughtUp();
  await pair.primary.kill();
  await pair.promote();
  link.target = pair.primary;
  writer.start();
  await pair.replica.start();
  await pair.follow();
}

/** What the process may have seen is not in the history any more. */
async function lossyFailOver({ pair, link, writer, dice }: Scene): Promise<void> {
  await pair.partReplica();
  await sleep(dice.between(100, 600));
  await pair.primary.kill();
  await writer.pause();
  await pair.promote();
  link.target = pair.primary;
  writer.start();
  await sleep(dice.between(0, 500));
  await writer.pause();
  await pair.copyToReplica();
  writer.start();
}

async function rereadInterrupted(scene: Scene): Promise<void> {
  const { app, connector, dice } = scene;
  const path = `${app.url}/connectors/${connector}/snapshot`;
  // The connector may not stand yet after an earlier fault of the round.
  await waitFor('a snapshot to be taken on', async () => {
    await scene.mend();
    const { status, text } = await request(path, { body: {} });
    if (status >= 300) throw new Error(text);
    return true;
  });
  await sleep(dice.between(0, 300));
  await dice.pick(interruptions)(scene);
}

async function firstInterrupted(scene: Scene): Promise<void> {
  const { dice } = scene;
  await scene.beginAnew();
  for (let times = dice.between(1, 2); times > 0; times--) {
    await sleep(dice.between(0, 500));
    await dice.pick(interruptions)(scene);
  }
}
