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
}

export async function openFleet(options: AppOptions, size: number, dice: Dice): Promise<Fleet> {
  const follow = { ...options, args: [...(options.args ?? []), '--follow'] };
  const apps: App[] = [];
  for (let i = 0; i < size; i++) apps.push(await openApp(follow));
  let leader = apps[0]!;

  const leads = async (app: App): Promise<boolean> => {
    if (!app.running) return false;
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
    kill: () => leader.kill(),
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
