// What goes through the queue comes out whole, in order and once, however it was cut into chunks, spilled, taken, refused and fenced;
// and every byte that a producer's credit has paid for is given back.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Append } from '../../../src/core/append.js';
import type { AppendControl } from '../../../src/core/append-control.js';
import { AppError } from '../../../src/core/errors.js';
import { chunkBytes } from '../../../src/stream/bridge/append-assembler.js';
import { AppendQueue, type QueueProducer } from '../../../src/stream/bridge/append-queue.js';
import { cutOf, type PendingAppend } from '../../../src/stream/pending-append.js';
import { SpillFile } from '../../../src/stream/spill-file.js';
import { buildChunk, filled, recordsOf, type ChunkPart, type FilledRecord } from '../../support/chunk.js';

interface Part {
  readonly topic: string;
  readonly size: number;
  /** Undefined: a record. */
  readonly end: 'placed' | 'joined' | 'control' | undefined;
}

type Step =
  | { readonly kind: 'offer'; readonly producer: number; readonly parts: readonly Part[] }
  | { readonly kind: 'take'; readonly bytes: number }
  | { readonly kind: 'refuse'; readonly which: number }
  | { readonly kind: 'confirm' }
  | { readonly kind: 'open'; readonly producer: number; readonly alone: boolean }
  | { readonly kind: 'close'; readonly producer: number };

const part: fc.Arbitrary<Part> = fc.record({
  topic: fc.constantFrom('a', 'b', 'c'),
  size: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 300 })),
  end: fc.constantFrom(undefined, undefined, undefined, 'placed', 'joined', 'joined', 'control'),
});
const producer = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      producer,
      parts: fc.array(part, { maxLength: 12, size: 'max' }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), bytes: fc.nat({ max: 3_000 }) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'confirm' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), which: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('open' as const), producer, alone: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), producer }) },
);

/** An append as it was sent. */
interface Sent {
  readonly life: Life;
  readonly records: readonly FilledRecord[];
  readonly position: string | null;
  readonly control: AppendControl | undefined;
}

/** A producer from one opening to the next. */
interface Life {
  readonly name: string;
  /** Refuses appends one by one. */
  readonly alone: boolean;
  end: QueueProducer | undefined;
  open: FilledRecord[];
  paid: number;
  givenBack: number;
  heard: { position: string; seq: number; closed: number }[];
  closed: number;
  told: number;
  failed: boolean;
  ended: boolean;
}

const names = ['p', 'q', 'r'] as const;
const control: AppendControl = { kind: 'connector-removed', name: 'c' };
const broken = new AppError('internal', 'broken');

class Run {
  readonly queue: AppendQueue;
  readonly lives = new Map<string, Life>();
  waiting: Sent[] = [];
  taken: { readonly sent: Sent; readonly append: PendingAppend }[] = [];
  #position = 0;
  #key = 0;
  #seq = 0;

  constructor(spillFolder: string, spillBytes: number) {
    this.queue = new AppendQueue({ lastAppend: () => undefined, spillFolder, spillBytes });
  }

  async open(name: string, alone: boolean): Promise<void> {
    const life: Life = {
      name,
      alone,
      end: undefined,
      open: [],
      paid: 0,
      givenBack: 0,
      heard: [],
      closed: 0,
      told: 0,
      failed: false,
      ended: false,
    };
    const opening = this.queue.openProducer(name, {
      durable: (newest, closed, bytes) => {
        life.heard.push({ ...newest, closed });
        life.told += closed;
        life.givenBack += bytes;
      },
      released: (bytes) => (life.givenBack += bytes),
      failed: () => (life.failed = true),
      ...(alone && {
        refused: (_position: string | null, _error: AppError, bytes: number) => {
          life.told++;
          life.givenBack += bytes;
        },
      }),
    });
    const before = this.lives.get(name);
    if (before !== undefined) {
      this.waiting = this.waiting.filter(({ life: { name: other } }) => other !== name);
      expect(before.failed || before.ended).toBe(true);
      // It does not know yet.
      before.end!.offer(buildChunk([{ topic: 'a', key: 'late', value: null }, { end: { position: 'late' } }]));
      expect(this.queue.size).toBe(this.waiting.length);
    }
    if (this.taken.some(({ sent }) => sent.life.name === name)) this.confirm();
    life.end = await opening;
    this.lives.set(name, life);
  }

  offer(life: Life, parts: readonly Part[]): void {
    if (life.failed || life.ended) return;
    const last = parts.findLastIndex(({ end }) => end !== undefined);
    let first = true;
    const records = [...life.open];
    const built = parts.map(({ topic, size, end }, i): ChunkPart => {
      if (end === undefined) {
        const record = { topic, key: String(this.#key++), value: 'x'.repeat(size) };
        records.push(filled(record));
        return record;
      }
      // What the port asks of those who make chunks; who is refused one by one has no joined ones.
      const isPlaced = end !== 'joined' || i === last || life.alone || (first && life.open.length > 0);
      const sent: Sent = {
        life,
        records: records.splice(0),
        position: isPlaced ? String(this.#position++) : null,
        control: end === 'control' ? control : undefined,
      };
      first = false;
      life.closed++;
      this.waiting.push(sent);
      return { end: { position: sent.position, ...(sent.control && { control }) } };
    });
    life.open = records;
    const chunk = buildChunk(built);
    if (chunk.recordCount === 0 && chunk.ends.length === 0) return;
    life.paid += chunkBytes(chunk);
    life.end!.offer(chunk);
    expect(this.queue.size).toBe(this.waiting.length);
  }

  /** Its open append is dropped, what it has closed goes its way. */
  close(life: Life): void {
    life.ended = true;
    life.end!.close();
  }

  take(bytesMax: number): void {
    if (this.taken.length > 0) return;
    const group = this.queue.take(bytesMax);
    const sent = this.waiting.splice(0, group.length);
    this.taken = group.map((append, i) => ({ sent: sent[i]!, append }));
    expect(
      group.map(({ producer: name, position, control: own, records }) => [name, position, own, recordsOf(records)]),
    ).toEqual(sent.map(({ life, position, control: own, records }) => [life.name, position, own, records]));
    expect(this.queue.size).toBe(this.waiting.length);
    // As many as have room, a run of joined ones as one.
    const upTo = (to: number) =>
      group.slice(0, to).reduce((sum, append) => sum + (append as unknown as { bytes: number }).bytes, 0);
    for (let i = 1; i < group.length; i++) if (cutOf(group, i) === i) expect(upTo(i + 1)).toBeLessThanOrEqual(bytesMax);
    expect(cutOf(group, group.length)).toBe(group.length);
    const [next] = this.waiting;
    if (next === undefined) return;
    expect(group.length).toBeGreaterThan(0);
  }

  refuse(which: number): void {
    if (this.taken.length === 0) return;
    const at = which % this.taken.length;
    const all = this.taken.map(({ append }) => append);
    const { sent, append } = this.taken[at]!;
    const { life } = sent;
    this.queue.refuse(append, broken);
    if (life.alone) this.taken.splice(at, 1);
    else {
      expect(life.failed).toBe(true);
      const own = all.filter(({ producer: name }) => name === life.name);
      const from = own[cutOf(own, own.indexOf(append))];
      const fromAt = all.indexOf(from!);
      this.taken = this.taken.filter(({ sent: other }, i) => i < fromAt || other.life !== life);
      this.waiting = this.waiting.filter(({ life: { name } }) => name !== life.name);
    }
    expect(this.queue.withoutRefused(all)).toEqual(this.taken.map((each) => each.append));
    expect(this.queue.size).toBe(this.waiting.length);
  }

  /** Each producer hears once, of its newest. */
  confirm(): void {
    const expected = new Map<Life, { position: string | null; seq: number; closed: number }>();
    const written = this.taken.map(({ sent: { life, position }, append }) => {
      const seq = ++this.#seq;
      const { position: earlier = null, closed = 0 } = expected.get(life) ?? {};
      if (!life.failed) expected.set(life, { position: position ?? earlier, seq, closed: closed + 1 });
      return { ...append, seq } as unknown as Append;
    });
    const lives = new Set(this.taken.map(({ sent: { life } }) => life));
    for (const life of lives) life.heard = [];
    this.taken = [];
    this.queue.confirm(written);
    for (const life of lives) {
      const heard = expected.get(life);
      expect(life.heard).toEqual(heard === undefined ? [] : [heard]);
    }
  }

  /** Everything that is closed is taken and confirmed. */
  drain(): void {
    this.confirm();
    while (this.waiting.length > 0) {
      this.take(500);
      this.confirm();
    }
    expect(this.queue.take(500)).toEqual([]);
    expect(this.queue.size).toBe(0);
  }
}

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'wt-queue-'))));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const steps = fc.array(step, { maxLength: 60, size: 'max' });
const spillBytes = fc.constantFrom(1, 200, 1_000, 100_000);

async function play(run: Run, list: readonly Step[]): Promise<void> {
  for (const name of names) await run.open(name, false);
  for (const each of list) {
    switch (each.kind) {
      case 'offer':
        run.offer(run.lives.get(names[each.producer]!)!, each.parts);
        break;
      case 'take':
        run.take(each.bytes);
        break;
      case 'refuse':
        run.refuse(each.which);
        break;
      case 'confirm':
        run.confirm();
        break;
      case 'open':
        await run.open(names[each.producer]!, each.alone);
        break;
      case 'close':
        run.close(run.lives.get(names[each.producer]!)!);
        break;
    }
  }
}

function expectClosed(files: readonly unknown[]): void {
  for (const file of new Set(files)) expect(() => (file as SpillFile).chunk(0)).toThrow(/after its file was closed/);
}

it('gives appends whole, in order and once, with the credit that they were paid for, and lets go of all files', async () => {
  const write = vi.spyOn(SpillFile.prototype, 'write');
  let spilled = 0;
  await fc.assert(
    fc.asyncProperty(steps, spillBytes, async (list, bound) => {
      write.mockClear();
      const run = new Run(folder, bound);
      await play(run, list);
      // What is open ends.
      for (const life of run.lives.values())
        if (life.open.length > 0) run.offer(life, [{ topic: 'a', size: 0, end: 'placed' }]);
      run.drain();
      for (const life of run.lives.values()) {
        if (life.failed || life.ended) continue;
        expect(life.givenBack).toBe(life.paid);
        expect(life.told).toBe(life.closed);
      }
      spilled += write.mock.contexts.length;
      expectClosed(write.mock.contexts);
    }),
    { numRuns: 150 },
  );
  expect(spilled).toBeGreaterThan(100);
});

it('lets go of all files when it fails, whatever is open, waits or is taken', async () => {
  const write = vi.spyOn(SpillFile.prototype, 'write');
  await fc.assert(
    fc.asyncProperty(steps, spillBytes, async (list, bound) => {
      write.mockClear();
      const run = new Run(folder, bound);
      await play(run, list);
      run.queue.fail(broken);
      expect(run.queue.size).toBe(0);
      expect([...run.lives.values()].every(({ failed, ended }) => failed || ended)).toBe(true);
      expectClosed(write.mock.contexts);
    }),
    { numRuns: 100 },
  );
});
