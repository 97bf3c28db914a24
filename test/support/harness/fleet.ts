// Several processes of one service on Kafka as if they were one program: its address is the leader's, to kill it is to kill the leader,
// and it has started again when the next one leads; the killed one then comes back as a follower, now and then with an empty folder.
import { mkdirSync, rmSync } from 'node:fs';
import { openApp, type App, type AppOptions } from './app-process.js';
import type { Dice } from './dice.js';
import { requestJson } from './http-client.js';
import { waitFor } from './wait-for.js';

export interface Fleet extends App {
  /** Of the processes that follow. */
  readonly followers: readonly string[];
  /** The leader sleeps until another leads, and wakes when `meanwhile` is over; resolves with how long the others took. */
  replaceSleeping(meanwhile: () => Promise<void>): Promise<number>;
}

export async function openFleet(options: AppOptions, size: number, dice: Dice): Promise<Fleet> {
  const follow = { ...options, args: [...(options.args ?? []), '--follow'] };
  const apps: App[] = [];
  for (let i = 0; i < size; i++) apps.push(await openApp(follow));
  let leader = apps[0]!;

  let asleep: App | undefined;
  const leads = async (app: App): Promise<boolean> => {
    if (!app.running || app === asleep) return false;
    const status = await requestJson<{ role: string }>(`${app.url}/v1/status`).catch(() => undefined);
    return status?.role === 'leader';
  };
  const findLeader = async (): Promise<App | undefined> => {
    for (const app of apps) if (await leads(app)) return app;
    return undefined;
  };

  return {
    get url() {
      return leader.url;
    },
    get dir() {
      return leader.dir;
    },
    get dataDir() {
      return leader.dataDir;
    },
    get running() {
      return leader.running;
    },
    get pid() {
      return leader.pid;
    },
    get followers() {
      return apps.filter((app) => app !== leader && app.running).map(({ url }) => url);
    },
    async start(extra = {}) {
      const begun = performance.now();
      const dead = apps.filter((app) => !app.running);
      if (dead.length === apps.length) for (const app of apps) await app.start(extra);
      leader = await waitFor('the next leader', findLeader, { timeoutMs: 60_000, intervalMs: 50 });
      const ms = performance.now() - begun;
      for (const app of dead) {
        if (app.running) continue;
        if (dice.chance(0.3)) {
          rmSync(app.dataDir, { recursive: true, force: true });
          mkdirSync(app.dataDir);
        }
        await app.start(extra);
      }
      return { state: 'ready', ms };
    },
    async replaceSleeping(meanwhile) {
      const begun = performance.now();
      const old = (asleep = leader);
      old.sleep();
      try {
        leader = await waitFor('the next leader', findLeader, { timeoutMs: 60_000, intervalMs: 50 });
        const ms = performance.now() - begun;
        await meanwhile();
        return ms;
      } finally {
        old.wake();
        asleep = undefined;
      }
    },
    kill: () => leader.kill(),
    sleep: () => leader.sleep(),
    wake: () => leader.wake(),
    async stop() {
      const codes: number[] = [];
      for (const app of apps) codes.push(await app.stop());
      return Math.max(...codes);
    },
    ended: (timeoutMs) => leader.ended(timeoutMs),
    log: () => apps.map((app) => app.log()).join('\n'),
    async close() {
      for (const app of apps) await app.close();
    },
  };
}
