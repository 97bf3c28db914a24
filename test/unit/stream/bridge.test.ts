import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import type { Append } from '../../../src/core/append.js';
import { AppendQueue, type LastAppend } from '../../../src/stream/bridge/append-queue.js';
import { connectBridge, type BridgeClient } from '../../../src/stream/bridge/bridge-client.js';
import { serveBridge, type BridgeServer } from '../../../src/stream/bridge/bridge-server.js';
import type { PendingAppend } from '../../../src/stream/pending-append.js';
import { appendChunk, buildChunk, filled, recordsOf, type TestRecord } from '../../support/chunk.js';

const creditBytes = 10_000;
const spillBytes = 4_000;

let folder: string;
let queue: AppendQueue;
let durable: Map<string, LastAppend>;
let seq: number;
let client: BridgeClient;
let server: BridgeServer;
const open: { close(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-bridge-'));
  durable = new Map();
  seq = 0;
  queue = new AppendQueue({ lastAppend: (name) => durable.get(name), spillFolder: folder, spillBytes });
  ({ client, server } = connect());
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
  rmSync(folder, { recursive: true, force: true });
});

function connect() {
  const { port1, port2 } = new MessageChannel();
  const ends = { server: serveBridge(queue, port1, creditBytes), client: connectBridge(port2) };
  open.push(ends.client, ends.server);
  return ends;
}

/** The engine's step: what was taken is durable. */
function confirm(group: readonly PendingAppend[]): Append[] {
  const written = group.map((append) => ({ ...append, seq: ++seq }));
  for (const { producer, position, seq: at } of written) durable.set(producer, { position, seq: at });
  queue.confirm(written);
  return written;
}

/** Waits for a condition that messages bring about. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns > 10_000) throw new Error('the condition did not come about');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** True when the promise is still open after messages had plenty of time. */
async function pending(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.finally(() => (done = true)).catch(() => {});
  for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
  return !done;
}

const row = (key: string, value = 'v'): TestRecord => ({ topic: 't', key, value });

describe('the bridge', () => {
  it('moves chunks over without copying large ones, and leaves the sender nothing', async () => {
    const producer = await client.openProducer('p');
    const chunk = appendChunk('1', [row('k', 'x'.repeat(9_000))]);
    const { data } = chunk;
    await Promise.all([producer.write(chunk), until(() => queue.size === 1).then(() => confirm(queue.take(1e6)))]);
    expect(data.byteLength).toBe(0);
  });

  it('takes chunks whose bytes lie in Node’s shared pool', async () => {
    const producer = await client.openProducer('p');
    const chunk = appendChunk('1', [row('key', 'value')]);
    const pooled = Buffer.from(Buffer.from(chunk.data).toString('latin1'), 'latin1');
    await producer.write({ ...chunk, data: pooled });
    await until(() => queue.size === 1);
    const [append] = queue.take(1e6);
    expect(recordsOf(append!.records)).toEqual([filled(row('key', 'value'))]);
    expect(Buffer.from('still there').toString()).toBe('still there');
  });

  it('holds a writer back at its byte credit, until the engine has confirmed', async () => {
    const producer = await client.openProducer('p');
    const write = () => producer.write(appendChunk('1', [row('k', 'x'.repeat(3_000))]));
    for (let i = 0; i < 3; i++) await write();
    const fourth = write();
    expect(await pending(fourth)).toBe(true);
    confirm(queue.take(1));
    await fourth;
    expect(queue.size).toBe(3);
  });

  it('lets an append that is larger than all credit through a spill file, in pieces of memory', async () => {
    const producer = await client.openProducer('p');
    const records = Array.from({ length: 40 }, (_, i) => row(`k${i}`, String(i).repeat(500)));
    await producer.write(buildChunk([row('before'), { end: { position: '1' } }, records[0]!]));
    for (let i = 1; i < 40; i++) await producer.write(buildChunk([records[i]!]));
    await producer.write(buildChunk([{ end: { position: '2' } }, row('behind'), { end: { position: '3' } }]));
    await until(() => queue.size === 3);
    expect(readdirSync(folder)).toEqual([]);
    const group = queue.take(1e9);
    expect(group.map(({ records: set }) => recordsOf(set))).toEqual([
      [filled(row('before'))],
      records.map(filled),
      [filled(row('behind'))],
    ]);
    confirm(group);
    expect(await producer.flush()).toBe(3);
    expect(() => group[1]!.records.value(0)).toThrow(/after its file was closed/);
  });

  it('lets an append through that is larger than all credit when nothing else is said about its bounds', async () => {
    queue = new AppendQueue({ lastAppend: (name) => durable.get(name), spillFolder: folder });
    const { port1, port2 } = new MessageChannel();
    const ends = { client: connectBridge(port2), server: serveBridge(queue, port1) };
    open.push(ends.client, ends.server);
    const producer = await ends.client.openProducer('p');
    const value = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 12; i++) await producer.write(buildChunk([row(`k${i}`, value)]));
    await producer.write(buildChunk([{ end: { position: '1' } }]));
    await until(() => queue.size === 1);
    const [written] = confirm(queue.take(1));
    expect(written!.records.count).toBe(12);
    expect(await producer.flush()).toBe(1);
  });

  it('gives groups by bytes, at least one append', async () => {
    const producer = await client.openProducer('p');
    for (let i = 0; i < 5; i++) await producer.write(appendChunk(String(i), [row('k', 'x'.repeat(1000))]));
    await until(() => queue.size === 5);
    const sizes = [];
    for (let group = queue.take(2500); group.length > 0; group = queue.take(2500)) {
      sizes.push(group.length);
      confirm(group);
    }
    expect(sizes).toEqual([2, 2, 1]);
    expect(queue.take(1)).toEqual([]);
  });

  it('gives what follows those that end a group in another one, and those of their kind together', async () => {
    const producer = await client.openProducer('p');
    for (const position of ['row 1', 'end 1', 'end 2', 'row 2', 'row 3', 'end 3'])
      await producer.write(appendChunk(position, [row(position)]));
    await until(() => queue.size === 6);
    const endsGroup = ({ position }: PendingAppend) => position!.startsWith('end');
    const groups: (string | null)[][] = [];
    for (let group = queue.take(1e6, endsGroup); group.length > 0; group = queue.take(1e6, endsGroup)) {
      groups.push(group.map(({ position }) => position));
      confirm(group);
    }
    expect(groups).toEqual([
      ['row 1', 'end 1', 'end 2'],
      ['row 2', 'row 3', 'end 3'],
    ]);
  });

  it('calls when the queue stops being empty', async () => {
    let calls = 0;
    queue.onAvailable(() => calls++);
    const producer = await client.openProducer('p');
    await producer.write(buildChunk([{ end: { position: '1' } }, { end: { position: '2' } }]));
    await until(() => queue.size === 2);
    expect(calls).toBe(1);
    confirm(queue.take(1e6));
    await producer.write(appendChunk('3'));
    await until(() => calls === 2);
  });

  it('gives appends whose position comes later together with it, however small the group may be', async () => {
    const producer = await client.openProducer('p');
    const parts = ['1', null, null, '4', null, '6'].flatMap((position) => [
      row(String(position)),
      { end: { position } },
    ]);
    await producer.write(buildChunk(parts));
    await until(() => queue.size === 6);
    const taken = () => {
      const group = queue.take(1);
      confirm(group);
      return group.map(({ position }) => position);
    };
    expect([taken(), taken(), taken()]).toEqual([['1'], [null, null, '4'], [null, '6']]);
    expect(durable.get('p')!.position).toBe('6');
  });

  it('fences across threads: what was not taken is dropped, what was taken decides the position', async () => {
    const first = await client.openProducer('p');
    for (const position of ['1', '2', '3']) await first.write(appendChunk(position, [row(position)]));
    await until(() => queue.size === 3);
    const taken = queue.take(1);
    const opening = connect().client.openProducer('p');
    expect(await pending(opening)).toBe(true);
    confirm(taken);
    const second = await opening;
    expect(second.position).toBe('1');
    expect(queue.size).toBe(0);
    await expect(first.flush()).rejects.toMatchObject({ code: 'producer-fenced' });
    await expect(first.write(appendChunk('4'))).rejects.toMatchObject({ code: 'producer-fenced' });
    await second.write(appendChunk('2'));
    await until(() => queue.size === 1);
    confirm(queue.take(1e6));
    expect(await second.flush()).toBe(2);
  });

  it('wakes a writer that waits for credit when it is fenced', async () => {
    const first = await client.openProducer('p');
    const waiting = first.write(appendChunk('1', [row('k', 'x'.repeat(20_000))]));
    const failed = expect(waiting).rejects.toMatchObject({ code: 'producer-fenced' });
    await until(() => queue.size === 1);
    await connect().client.openProducer('p');
    await failed;
  });

  it('tells every producer when the engine has failed, the later ones too', async () => {
    const producer = await client.openProducer('p');
    await producer.write(appendChunk('1'));
    const flushing = expect(producer.flush()).rejects.toMatchObject({ code: 'log-corrupt', message: 'broken' });
    await until(() => queue.size === 1);
    queue.fail(new AppError('log-corrupt', 'broken'));
    await flushing;
    await expect(client.openProducer('q')).rejects.toMatchObject({ code: 'log-corrupt' });
  });

  it('knows positions without opening, and of a producer that opens again', async () => {
    expect(await client.producerPosition('p')).toBeNull();
    const producer = await client.openProducer('p');
    await producer.write(appendChunk('17'));
    await until(() => queue.size === 1);
    confirm(queue.take(1));
    await producer.close();
    expect(await client.producerPosition('p')).toBe('17');
    expect((await client.openProducer('p')).position).toBe('17');
  });

  it('drops the open append of a thread that has ended and keeps the closed ones', async () => {
    const producer = await client.openProducer('p');
    await producer.write(buildChunk([row('closed'), { end: { position: '1' } }, row('open')]));
    await until(() => queue.size === 1);
    client.close();
    await expect(producer.flush()).rejects.toMatchObject({ code: 'not-ready' });
    const [append] = queue.take(1e6);
    expect(recordsOf(append!.records).map(({ key }) => key)).toEqual(['closed']);
    confirm([append!]);
    const again = await connect().client.openProducer('p');
    expect(again.position).toBe('1');
    server.close();
  });

  it('closes a producer once its closed appends are durable', async () => {
    const producer = await client.openProducer('p');
    await producer.write(buildChunk([{ end: { position: '1' } }, row('open')]));
    const closing = producer.close();
    expect(await pending(closing)).toBe(true);
    confirm(queue.take(1e6));
    await closing;
    await expect(producer.write(appendChunk('2'))).rejects.toThrow(/closed producer/);
  });
});
