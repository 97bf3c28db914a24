// A process that is killed at any moment leaves a log and a store that agree: every append that was reported durable is there,
// whole and once; none is there in part; rows, feed, frontier and the producer's position stand at the same append.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/sqlite/database.js';
import { lockFolder } from '../../src/sqlite/lock.js';
import { openStateReader } from '../../src/store/sqlite/state-reader.js';
import { openStateStore } from '../../src/store/sqlite/state-store.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../src/stream/embedded/embedded-log.js';
import { recordsOf } from '../support/chunk.js';

const dist = resolve(import.meta.dirname, '../../dist');
const rounds = 6;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-crash-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Runs the writer until it is killed, `ms` after its first durable append or at a failpoint, and gives the last position that it reported.
 */
async function runAndKill(
  durability: string,
  end: { readonly ms: number } | { readonly failpoint: string },
  meanwhile: (pid: number) => void,
): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'store-child.mjs'), dist, folder, durability], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: 'failpoint' in end ? { ...process.env, WRITETHROUGH_FAILPOINT: end.failpoint } : process.env,
  });
  const ended = new Promise<NodeJS.Signals | null>((done) => child.on('exit', (_code, signal) => done(signal)));
  let output = '';
  let failure: Error | undefined;
  let armed = false;
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString('latin1');
    if (armed) return;
    armed = true;
    if ('ms' in end) setTimeout(() => child.kill('SIGKILL'), end.ms);
    try {
      meanwhile(child.pid!);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
  });
  await new Promise((done) => child.stdout.on('end', done));
  expect(await ended).toBe('SIGKILL');
  if (failure !== undefined) throw failure;
  // The last line may be cut.
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
}

/** What compaction and retention must have left, wherever they were stopped. */
async function checkUpkeep(log: EmbeddedLog, position: number): Promise<void> {
  // A key is the first digit of the append's position.
  const newest = new Map<string, string>();
  for (let at = 1; at <= position; at++) {
    const count = (at * 13) % 40;
    if (count > 2) newest.set(String(at)[0]!, `${at}/${Math.floor(count / 3) * 3 - 1}/${count}`);
  }
  const found = new Map<string, string>();
  for (const { key, value } of await log.readTopic('compacted', 0, 0, 1e6))
    found.set(String(key), value!.toString().split('/').slice(0, 3).join('/'));
  expect(found).toEqual(newest);
  const short = await log.readTopic('short', 0, 0, 1e6);
  const { offsets } = (await log.topics()).find(({ name }) => name === 'short')!;
  expect(short.map(({ offset }) => offset)).toEqual(
    Array.from({ length: short.length }, (_, i) => offsets[0]!.next - short.length + i),
  );
  const last = Array.from({ length: position }, (_, i) => position - i).find((at) => (at * 13) % 40 > 0)!;
  expect(short.at(-1)!.value!.toString()).toMatch(new RegExp(`^${last}/0/`, 'u'));
}

/** Everything agrees after a kill; `reported` was durable. */
async function check(reported: number): Promise<void> {
  const path = join(folder, 'writethrough.db');
  const database = openDatabase(path);
  expect(database.raw.pragma('integrity_check', { simple: true })).toBe('ok');
  const log = openEmbeddedLog(database, {});
  const state = openStateStore(database, { logId: log.logId });
  const position = Number(await log.producerPosition('p'));
  expect(position).toBeGreaterThanOrEqual(reported);
  expect(state.frontier).toMatchObject({ seq: await log.headSeq(), positions: { p: String(position) } });
  let expected = 0;
  const kept = new Set(['kept']);
  for (let after = 0; ;) {
    const group = log.readGroup(after, kept);
    if (group.length === 0) break;
    after = group.at(-1)!.seq;
    for (const append of group) {
      const at = Number(append.position);
      // Empty appends between others may have been left out by maintenance, nothing else.
      for (expected++; expected < at; expected++) expect((expected * 13) % 40).toBe(0);
      const count = (at * 13) % 40;
      const places = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 !== 2);
      expect(recordsOf(append.records).map(({ value }) => value!.split('/').slice(0, 3).join('/'))).toEqual(
        places.map((i) => `${at}/${i}/${count}`),
      );
    }
  }
  expect(expected).toBe(position);
  await checkUpkeep(log, position);
  const reader = openStateReader(path);
  const session = reader.session();
  const rows = [...session.scan({ table: 'counts' })].map(({ row }) => Number(row[1]));
  expect(Math.max(...rows)).toBe(position);
  expect(rows.toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: rows.length }, (_, i) => position - rows.length + 1 + i),
  );
  expect(session.table('counts').rowCount).toBe(rows.length);
  const last = session.changes('counts', { seq: session.frontier.seq - 1, index: Infinity }, 1e9).changes;
  expect(last.map(({ after }) => after?.[1])).toEqual([position]);
  session.close();
  reader.close();
  database.close();
}

describe('after a kill', () => {
  for (const durability of ['full', 'normal']) {
    it(`log and store hold every durable append whole, under durability ${durability}`, async () => {
      expect(existsSync(join(dist, 'stream/embedded/embedded-log.js')), 'the program is built: npm run build').toBe(
        true,
      );
      for (let round = 0; round < rounds; round++) {
        const reported = await runAndKill(durability, { ms: 40 + Math.random() * 400 }, (pid) => {
          expect(() => lockFolder(folder)).toThrow(
            expect.objectContaining({ code: 'data-folder-in-use', message: expect.stringContaining(String(pid)) }),
          );
        });
        lockFolder(folder).release();
        await check(reported);
      }
    });
  }

  it('in a step of retention, compaction or the feed log and store hold every durable append whole', async () => {
    let reported = 0;
    for (let round = 0; round < rounds; round++) {
      const failpoint = `upkeep-before-commit:${1 + Math.floor(Math.random() * 60)}`;
      reported = Math.max(reported, await runAndKill('full', { failpoint }, () => undefined));
      await check(reported);
    }
    expect(reported).toBeGreaterThan(0);
  });
});
