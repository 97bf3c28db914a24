// Calls across a real message channel.
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError, toAppError } from '../../../src/core/errors.js';
import { connectRpc, transfer, type Rpc } from '../../../src/threads/rpc.js';

interface Api {
  add(a: number, b: number): Promise<number>;
  fail(): Promise<void>;
  bug(): Promise<void>;
  unclonable(): Promise<unknown>;
  take(buffer: { readonly bytes: Uint8Array }): Promise<number>;
  note(text: string): void;
  missing(): Promise<void>;
}

let channel: MessageChannel;
let rpc: Rpc<Api>;
let notes: string[];
let noticeErrors: unknown[];
beforeEach(() => {
  channel = new MessageChannel();
  notes = [];
  noticeErrors = [];
  const served = {
    add: (a: number, b: number) => a + b,
    fail: () => {
      throw new AppError('bad-key', 'no', { detail: 'd', hint: 'h', retriable: true, place: { line: 3 } });
    },
    bug: () => Promise.reject(new TypeError('x is no function')),
    unclonable: () => () => {},
    take: ({ bytes }: { bytes: Uint8Array }) => bytes.length,
    note: (text: string) => {
      if (text === 'bad') throw new Error('a bad note');
      notes.push(text);
    },
  };
  connectRpc(channel.port1, served, (error) => noticeErrors.push(error));
  rpc = connectRpc<Api>(channel.port2, {}, () => {});
});
afterEach(() => channel.port1.close());

it('answers calls, several at a time', async () => {
  expect(await Promise.all([rpc.remote.add(1, 2), rpc.remote.add(3, 4)])).toEqual([3, 7]);
});

it('keeps code, detail, hint, place and retriability of errors', async () => {
  const error = await rpc.remote.fail().catch(toAppError);
  expect(error).toMatchObject({
    code: 'bad-key',
    message: 'no',
    detail: 'd',
    hint: 'h',
    retriable: true,
    place: { line: 3 },
  });
});

it.each(['bug', 'unclonable', 'missing'] as const)(
  'answers %s with an internal error instead of never',
  async (method) => {
    expect((await rpc.remote[method]().catch(toAppError)) as AppError).toMatchObject({ code: 'internal' });
  },
);

it('moves what is marked for transfer', async () => {
  const bytes = new Uint8Array(1000);
  expect(await rpc.remote.take(transfer({ bytes }, [bytes.buffer]))).toBe(1000);
  expect(bytes.length).toBe(0);
});

it('delivers notices in order with calls, and tells their errors to the other side', async () => {
  rpc.notify('note', 'a');
  rpc.notify('note', 'bad');
  rpc.notify('note', 'b');
  await rpc.remote.add(1, 1);
  expect(notes).toEqual(['a', 'b']);
  expect(noticeErrors).toHaveLength(1);
});

it('rejects what waits, and every later call, once the other side has ended', async () => {
  const waiting = rpc.remote.add(1, 2);
  rpc.fail(new AppError('not-ready', 'ended'));
  expect(await waiting.catch(toAppError)).toMatchObject({ code: 'not-ready' });
  expect(await rpc.remote.add(1, 2).catch(toAppError)).toMatchObject({ code: 'not-ready' });
});

it('is no thenable, so that it can be returned from an async function', async () => {
  const returned = async () => rpc.remote;
  expect(await (await returned()).add(1, 1)).toBe(2);
});
