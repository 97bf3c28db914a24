// Calls across threads: one side offers an object of async functions, the other calls them by name; errors keep their code. Also
// one-way notices. Nothing else crosses between our threads except the chunk ports of stream/bridge.
import type { Transferable } from 'node:worker_threads';
import { AppError, fromErrorMessage, toThrownMessage, type ErrorMessage } from '../core/errors.js';

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorMessage }
  | { readonly kind: 'notice'; readonly method: string; readonly args: readonly unknown[] };

/** The other side's functions, each answering with a promise. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** Structurally what a MessagePort, a Worker and parentPort have in common. */
export interface RpcPort {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

export interface Rpc<T> {
  readonly remote: Remote<T>;
  /** Calls without waiting for an answer; an error on the other side ends up in its `onNoticeError`. */
  notify(method: keyof T & string, ...args: unknown[]): void;
  /** Rejects everything that still waits: the other thread has ended. */
  fail(error: AppError): void;
}

/** Serves `methods` on the port and gives back the other side's. Extra transferables of a call: `transfer(value, [...])`. */
export function connectRpc<T>(port: RpcPort, methods: Methods, onNoticeError: (error: unknown) => void): Rpc<T> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  let failure: AppError | undefined;

  port.on('message', (raw) => {
    const message = raw as Message;
    switch (message.kind) {
      case 'call':
        void answer(message.id, message.method, message.args);
        return;
      case 'notice':
        Promise.resolve()
          .then(() => invoke(message.method, message.args))
          .catch(onNoticeError);
        return;
      case 'result':
        settle(message.id)?.resolve(message.value);
        return;
      case 'error':
        settle(message.id)?.reject(fromErrorMessage(message.error));
        return;
    }
  });

  function settle(id: number) {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  function invoke(method: string, args: readonly unknown[]): unknown {
    const found = methods[method];
    if (!found) throw new AppError('internal', `no thread function ${method}`);
    return (found as (...args: unknown[]) => unknown)(...args);
  }

  async function answer(id: number, method: string, args: readonly unknown[]): Promise<void> {
    try {
      const value = await invoke(method, args);
      const transfer = transfers.get(value as object) ?? [];
      port.postMessage({ kind: 'result', id, value } satisfies Message, transfer);
    } catch (error) {
      port.postMessage({ kind: 'error', id, error: toThrownMessage(error) } satisfies Message);
    }
  }

  const remote = new Proxy({} as Remote<T>, {
    get(_target, method) {
      if (typeof method !== 'string' || method === 'then') return undefined;
      return (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          if (failure) return reject(failure);
          const id = nextId++;
          waiting.set(id, { resolve, reject });
          const transfer = args.flatMap((arg) => (isObject(arg) ? (transfers.get(arg) ?? []) : []));
          port.postMessage({ kind: 'call', id, method, args } satisfies Message, transfer);
        });
    },
  });

  return {
    remote,
    notify(method, ...args) {
      port.postMessage({ kind: 'notice', method, args } satisfies Message);
    },
    fail(error) {
      failure = error;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}

const transfers = new WeakMap<object, readonly Transferable[]>();

/** Marks what is moved instead of copied when `value` is sent as an argument or as a result. */
export function transfer<V extends object>(value: V, list: readonly Transferable[]): V {
  transfers.set(value, list);
  return value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
