// Brings the program to each of its failpoints: which source and log pass it, and what has to be done so that it is passed.
import { failpoints, type Failpoint } from '../../../src/core/failpoint.js';
import type { App } from './app-process.js';
import type { Dice } from './dice.js';
import { request } from './http-client.js';
import { projectionName } from './projection.js';

export interface FailpointPlan {
  readonly name: Failpoint;
  /** Dies at the N-th passing, N at random up to this. */
  readonly passesMax: number;
  /** Asked again and again until the program has died. */
  readonly trigger?: (app: App) => Promise<void>;
}

const endDeadlineMs = 30_000;

/** Those that this cell passes. */
export function failpointPlans(cell: {
  readonly source: 'sqlite' | 'mysql';
  readonly log: 'embedded' | 'kafka';
}): FailpointPlan[] {
  return failpoints.filter((name) => applies(name, cell)).map(planOf);
}

function applies(name: Failpoint, { source, log }: { source: string; log: string }): boolean {
  if (name.startsWith('sqlite-')) return source === 'sqlite';
  if (name.startsWith('kafka-') || name.startsWith('outbox-')) return log === 'kafka';
  return true;
}

function planOf(name: Failpoint): FailpointPlan {
  // What a rebuild leaves behind has to be taken away.
  if (name.startsWith('upkeep-')) return { name, passesMax: 2, trigger: rebuild };
  if (name.startsWith('rebuild-')) return { name, passesMax: 1, trigger: rebuild };
  if (name.startsWith('statement-')) return { name, passesMax: 1, trigger: createTable };
  return { name, passesMax: name === 'sqlite-before-prune' || name === 'source-before-first-chunk' ? 1 : 5 };
}

async function rebuild(app: App): Promise<void> {
  await request(`${app.url}/v1/tables/${projectionName}/rebuild`, { method: 'POST' });
}

let made = 0;

async function createTable(app: App): Promise<void> {
  const ksql = `CREATE TABLE extra_${++made} AS SELECT region, COUNT(*) AS n FROM stock GROUP BY region;`;
  await request(`${app.url}/ksql`, { body: { ksql } });
}

/** Starts the stopped program with the failpoint armed, and resolves with the ms until it has died there. */
export async function killAtFailpoint(app: App, plan: FailpointPlan, dice: Dice): Promise<number> {
  const setting = `${plan.name}:${dice.between(1, plan.passesMax)}`;
  const begun = performance.now();
  const { state } = await app.start({ env: { WRITETHROUGH_FAILPOINT: setting } });
  if (state === 'ended') return performance.now() - begun;
  const deadline = Date.now() + endDeadlineMs;
  while (Date.now() < deadline) {
    if (plan.trigger !== undefined && app.running) {
      // It dies in the middle of the answer; whether the request succeeded shows in the state afterwards.
      await plan.trigger(app).catch(() => undefined);
    }
    if (await app.ended(500)) return performance.now() - begun;
  }
  throw new Error(`failpoint ${setting} was not passed in ${endDeadlineMs} ms`);
}
