// A pair of message ports whose messages are tasks of the virtual loop: they arrive later, in order, and die with the process.
import type { MessagePort } from 'node:worker_threads';
import type { VirtualLoop } from './virtual-loop.js';

type Listener = (message: never) => void;

class VirtualPort {
  other!: VirtualPort;
  readonly #loop: VirtualLoop;
  readonly #channel: string;
  readonly #seen: (message: unknown) => void;
  readonly #listeners = new Map<string, Listener[]>();
  #closed = false;

  constructor(loop: VirtualLoop, channel: string, seen: (message: unknown) => void) {
    this.#loop = loop;
    this.#channel = channel;
    this.#seen = seen;
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  postMessage(message: unknown, transfer: ArrayBuffer[] = []): void {
    const moved: unknown = structuredClone(message, { transfer });
    this.#seen(moved);
    this.#loop.post(this.#channel, () => this.other.emit('message', moved));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loop.post(this.#channel, () => {
      this.emit('close', undefined);
      this.other.emit('close', undefined);
    });
  }

  emit(event: string, message: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(message as never);
  }
}

export function virtualPorts(
  loop: VirtualLoop,
  name: string,
  seen: { readonly toEngine: (message: unknown) => void; readonly fromEngine: (message: unknown) => void },
): { readonly engine: MessagePort; readonly client: MessagePort } {
  const engine = new VirtualPort(loop, `${name} <- engine`, seen.fromEngine);
  const client = new VirtualPort(loop, `${name} -> engine`, seen.toEngine);
  engine.other = client;
  client.other = engine;
  return { engine: engine as unknown as MessagePort, client: client as unknown as MessagePort };
}
