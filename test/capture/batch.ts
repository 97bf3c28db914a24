// Several ways of scripts at once, each with its own database and connector, in one running program; that process is killed once for
// all of them. Steps:
//   1. first sections; the program starts, a connector each; their snapshots are compared
//   2. second sections; compared when the program says that it has read them
//   3. SIGKILL and a start on the same folder; compared
//   4. another program with an empty folder reads the end as a snapshot; compared
import { openApp, type App } from '../support/harness/app-process.js';
import type { Ground } from './place.js';
import { Run } from './run.js';
import type { Script, WayScript } from './script.js';
import { waitForRest } from './service.js';

export interface Item {
  readonly script: Script;
  readonly way: WayScript;
  /** For the names of database and connector. */
  readonly label: string;
}

/** Rejects with ServiceEnded when the program ends by itself. Places are taken away in any case, but not before `use` is done. */
export async function runBatch(
  ground: Ground,
  items: readonly Item[],
  use: (runs: readonly Run[]) => Promise<void> | void,
): Promise<void> {
  const runs: Run[] = [];
  try {
    for (const { script, way, label } of items) {
      const run = new Run(script, way, await ground.open(label, { pragmas: script.pragmas }));
      runs.push(run);
      await run.runSections(way.before);
    }
    if (runs.some(({ live }) => live)) {
      await captured(runs);
      await readAnew(runs.filter(({ live, way }) => live && way.streaming.length > 0 && way.way === 'case'));
    }
    await use(runs);
  } finally {
    for (const { place } of runs) await place.drop();
  }
}

async function captured(runs: readonly Run[]): Promise<void> {
  const app = await openApp();
  try {
    await app.start();
    const begun = await begin(app, runs, 'snapshot');
    await checkAll(app, begun, 'snapshot', performance.now());
    const streaming = runs.filter(({ live }) => live);
    for (const run of streaming) await run.runSections(run.way.streaming);
    const written = streaming.filter((run) => begun.includes(run) && run.way.streaming.length > 0);
    await checkAll(app, written, 'stream', performance.now());
    await app.kill();
    await app.start({ waitReady: false });
    await untilAnswers(app);
    await checkAll(app, begun, 'restart', performance.now());
  } finally {
    await app.close();
  }
}

async function readAnew(runs: readonly Run[]): Promise<void> {
  if (runs.length === 0) return;
  const app = await openApp();
  try {
    await app.start();
    await checkAll(app, await begin(app, runs, 'fresh snapshot'), 'fresh snapshot', performance.now());
  } finally {
    await app.close();
  }
}

/** Those that have a connector now. Two at a time: each is asked for in a thread of its own. */
async function begin(app: App, runs: readonly Run[], check: string): Promise<readonly Run[]> {
  const begun: Run[] = [];
  const left = runs.filter(({ live }) => live);
  const work = async (): Promise<void> => {
    for (let run = left.shift(); run !== undefined; run = left.shift())
      if (await run.begin(app, check)) begun.push(run);
  };
  await Promise.all([work(), work()]);
  return begun;
}

async function checkAll(app: App, runs: readonly Run[], check: string, sinceMs: number): Promise<void> {
  const live = runs.filter((run) => run.live);
  const rests = await waitForRest(
    app,
    live.map(({ place }) => place.label),
    sinceMs,
  );
  for (const run of live) await run.check(app, rests.get(run.place.label)!, check);
}

/** Not "ready": it never is while one of its connectors has failed. */
async function untilAnswers(app: App): Promise<void> {
  await waitForRest(app, [], 0);
}
