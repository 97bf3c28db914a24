// One simulated process: the whole engine, and beside it what the main thread has of it, over virtual ports. It lives from `start` until
// it is stopped or the world kills it.
import { silentLogger } from '../../src/core/logger.js';
import { toAppError } from '../../src/core/errors.js';
import type { EngineApi, EngineOptions } from '../../src/engine/engine-api.js';
// Loaded when it is first needed, which would take a time of its own.
import '../../src/engine/kafka-engine-log.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { Subscriptions } from '../../src/query/subscriptions.js';
import { openCheckpointer, type Checkpointer } from '../../src/sqlite/checkpoint.js';
import type { ReadSession, StateReader } from '../../src/store/state-store.js';
import { openStateReader } from '../../src/store/sqlite/state-reader.js';
import type { ClientMessage, ServerMessage } from '../../src/stream/bridge/messages.js';
import type { AppendProducer } from '../../src/stream/event-log.js';
import { openKafkaStream } from '../../src/engine/kafka-options.js';
import { connectBridge, type BridgeClient } from '../../src/stream/bridge/bridge-client.js';
import type { Bounds } from './bounds.js';
import { derivedTables } from './model.js';
import type { Life, VirtualLoop } from './virtual-loop.js';
import { virtualPorts } from './virtual-port.js';
import { alwaysCurrent } from '../support/ages.js';

/** Pages, reads and the shared cache end in the middle of things. */
const smallLimits = { readBytes: 200, snapshotBytes: 64 * 1024, snapshotPageRows: 2, cacheBytes: 600 };

export interface ProcessHost {
  readonly loop: VirtualLoop;
  readonly options: EngineOptions;
  readonly databasePath: string;
  onCommitted(process: SimulatedProcess, seq: number): void;
  /** Not by a kill: it ended by itself. */
  onFailed(process: SimulatedProcess, error: unknown): void;
  /** Hears what crosses the bridge. */
  readonly bounds: Bounds;
  onLog(level: string, message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class SimulatedProcess {
  readonly #host: ProcessHost;
  /** `full`: a write has failed, and it has to end. `deposed`: another one leads, and it does not know. */
  state: 'opening' | 'up' | 'stopping' | 'full' | 'deposed' | 'gone' = 'opening';
  api!: EngineApi;
  reader!: StateReader;
  subscriptions!: Subscriptions;
  /** To the embedded log. */
  #bridge: BridgeClient | undefined;
  /** Of connectors, each with a log on Kafka of its own. */
  readonly #captures = new Map<string, AbortController>();
  readonly life: Life;
  checkpointer!: Checkpointer;
  ready: Promise<void> = Promise.resolve();

  constructor(host: ProcessHost) {
    this.#host = host;
    this.life = host.loop.createLife();
  }

  start(): void {
    const host = this.#host;
    host.loop.current = this.life;
    this.ready = this.#open().catch((error: unknown) => {
      if (this.state !== 'gone') host.onFailed(this, error);
    });
  }

  get up(): boolean {
    return this.state === 'up';
  }

  async #open(): Promise<void> {
    const host = this.#host;
    const { loop } = host;
    const alive = (): boolean => this.state !== 'gone';
    const api = await openEngine(host.options, {
      ready: () => {},
      committed: (seq) =>
        loop.post('engine -> main', () => {
          this.subscriptions?.wake();
          if (alive()) host.onCommitted(this, seq);
        }),
      tableSources: () => {},
      failed: (error) => {
        if (alive()) host.onFailed(this, error);
      },
      log: (level, message, fields) => {
        if (alive()) host.onLog(level, message, fields);
      },
    });
    if (!alive()) return;
    this.api = api;
    this.reader = openStateReader(host.databasePath);
    this.subscriptions = new Subscriptions(this.reader, alwaysCurrent, silentLogger, smallLimits);
    this.checkpointer = openCheckpointer(host.databasePath, { walBytesMax: 256 * 1024, restartWaitMs: 0 });
    if (host.options.stream.kind === 'embedded') await this.#attachCapture();
    if (this.state === 'opening') this.state = 'up';
  }

  async #attachCapture(): Promise<void> {
    const { bounds, loop } = this.#host;
    bounds.begin();
    const ports = virtualPorts(loop, 'capture', {
      toEngine: (message) => bounds.toEngine(message as ClientMessage),
      fromEngine: (message) => bounds.fromEngine(message as ServerMessage),
    });
    await this.api.attachCapture({ port: ports.engine });
    this.#bridge = connectBridge(ports.client);
  }

  /** As a connector's thread does. */
  async openProducer(name: string): Promise<AppendProducer> {
    if (this.#bridge) return this.#bridge.openProducer(name);
    const { stream, serviceId } = this.#host.options;
    if (stream.kind !== 'kafka') throw new Error('the process is not open');
    this.#captures.get(name)?.abort();
    const stop = new AbortController();
    this.#captures.set(name, stop);
    const knownPositions = this.session(({ frontier: { seq, positions } }) => ({ seq, positions }));
    const { signal } = stop;
    const log = await openKafkaStream({ url: stream.url, serviceId, logger: silentLogger, signal, knownPositions });
    return log.openProducer(name);
  }

  session<T>(read: (session: ReadSession) => T): T {
    const session = this.reader.session();
    try {
      return read(session);
    } finally {
      session.close();
    }
  }

  /** Derived tables that there are, shown or not, and those that are being built. */
  derived(): { readonly built: readonly string[]; readonly there: readonly string[] } {
    return this.session((session) => {
      const names = (kind: string, member: string): readonly string[] => {
        const found = session.documents(kind).map(({ json }) => (JSON.parse(json) as Record<string, string>)[member]!);
        return found.filter((name) => derivedTables.some((table) => table.name === name));
      };
      return { built: names('build', 'table'), there: names('query', 'sink') };
    });
  }

  /** In good order. */
  stop(): void {
    this.#host.loop.current = this.life;
    this.state = 'stopping';
    this.ready = (async () => {
      this.#bridge?.close();
      for (const stop of this.#captures.values()) stop.abort();
      await this.api.stop();
      this.reader.close();
      this.checkpointer.close();
      this.state = 'gone';
    })().catch((error: unknown) => {
      if (this.state !== 'gone') this.#host.onFailed(this, toAppError(error));
    });
  }
}
