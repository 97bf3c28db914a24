// The simulation for as long as one likes: batches of seeds, each in a process of its own, every third of them over the simulated Kafka,
// and every fourth with power losses instead of kills. Every seed that goes wrong is told with the smallest run
// that was found, and the rest goes on, so that one fault hides no other.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LogKind } from '../simulation/chances.js';
import type { SeedReport } from '../simulation/batch.js';
import { fastFolder } from '../simulation/disk.js';
import type { Figures } from '../support/harness/figures.js';
import { journalEnvironment, powerLossUnavailable } from '../support/power-loss/preload.js';

export interface SimulationSoakOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly steps: number;
  readonly tell: (line: string) => void;
}

const batchSeeds = 25;
/** The journal of a process grows with all of its seeds, and is read at each kill. */
const journalledSeeds = 5;
/** What goes over a wire takes more steps. */
const kafkaStepsFactor = 3;
const batch = fileURLToPath(new URL('../simulation/batch.js', import.meta.url));

export async function runSimulation({ seed, seconds, steps, tell }: SimulationSoakOptions): Promise<Figures> {
  const endMs = performance.now() + seconds * 1000;
  const failures: string[] = [];
  const total: Record<string, number> = { seeds: 0, 'with power losses': 0, 'on Kafka': 0 };
  const add = (name: string, figure: number): void => void (total[name] = (total[name] ?? 0) + figure);
  const powerLoss = powerLossUnavailable();
  if (powerLoss !== undefined) tell(`no power losses: ${powerLoss}`);
  let next = seed;
  for (let round = 0; performance.now() < endMs; round++) {
    const journalled = powerLoss === undefined && round % 4 === 3;
    const count = journalled ? journalledSeeds : batchSeeds;
    const log: LogKind = round % 3 === 1 ? 'kafka' : 'embedded';
    const batchSteps = log === 'kafka' ? steps * kafkaStepsFactor : steps;
    for await (const { failure, figures } of runBatch({ first: next, count, steps: batchSteps, log, journalled })) {
      add('seeds', 1);
      if (log === 'kafka') add('on Kafka', 1);
      if (journalled) add('with power losses', 1);
      for (const [name, figure] of Object.entries(figures)) add(name, figure);
      if (failure === undefined) continue;
      failures.push(failure.split('\n').slice(0, 2).join(' '));
      tell(`${failure}${journalled ? '\n(with power losses)' : ''}`);
    }
    next += count;
  }
  if (failures.length > 0)
    throw new Error(`${failures.length} of ${total['seeds']} seeds went wrong:\n${failures.join('\n')}`);
  return { seed, ...total };
}

interface Batch {
  readonly first: number;
  readonly count: number;
  readonly steps: number;
  readonly log: LogKind;
  readonly journalled: boolean;
}

async function* runBatch({ first, count, steps, log, journalled }: Batch): AsyncGenerator<SeedReport> {
  const folders = journalled ? { folder: fastFolder(), beside: mkdtempSync(join(tmpdir(), 'wt-journal-')) } : undefined;
  const env =
    folders && (await journalEnvironment({ folder: folders.folder, journal: join(folders.beside, 'journal') }));
  const child = spawn(process.execPath, [batch, String(first), String(count), String(steps), log], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  try {
    const ended = new Promise<number | string | null>((resolve) =>
      child.on('close', (code, signal) => resolve(code ?? signal)),
    );
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      seen++;
      yield JSON.parse(line) as SeedReport;
    }
    const code = await ended;
    if (code !== 0)
      yield { seed: first + seen, figures: {}, failure: `seed ${first + seen}: the process ended with ${code}` };
  } finally {
    child.kill('SIGKILL');
    for (const folder of Object.values(folders ?? {})) rmSync(folder, { recursive: true, force: true });
  }
}
