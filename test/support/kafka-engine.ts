// A whole engine in the test's thread over a log on Kafka; several may follow each other on one log, each with a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatementResult } from '../../src/projector/statement-facade.js';
import { openStateReader } from '../../src/store/sqlite/state-reader.js';
import type { StateReader } from '../../src/store/state-store.js';
import type { EngineApi, EngineOptions } from '../../src/engine/engine-api.js';
import { openEngine } from '../../src/engine/open-engine.js';
import type { LogLine } from './engine.js';

export interface KafkaEngineOptions extends Partial<EngineOptions> {
  readonly brokers: readonly string[];
  readonly serviceId: string;
}

export class KafkaEngine {
  readonly folder: string;
  readonly log: LogLine[] = [];
  api!: EngineApi;
  failed: unknown;
  #reader!: StateReader;
  #options: KafkaEngineOptions;

  constructor(options: KafkaEngineOptions) {
    this.folder = mkdtempSync(join(tmpdir(), 'wt-kafka-engine-'));
    this.#options = options;
  }

  async open(): Promise<this> {
    const { brokers, ...options } = this.#options;
    const all: EngineOptions = {
      dataFolder: this.folder,
      durability: 'normal',
      role: 'leader',
      strict: false,
      stream: { kind: 'kafka', url: `kafka://${brokers.join(',')}` },
      feed: { ms: 86_400_000, bytes: 1024 ** 3 },
      properties: {},
      ...options,
    };
    this.api = await openEngine(all, {
      ready: () => {},
      committed: () => {},
      tableSources: () => {},
      failed: (error) => (this.failed = error),
      log: (level, message, fields) => void this.log.push({ level, message, fields }),
    });
    this.#reader = openStateReader(join(this.folder, 'writethrough.db'));
    return this;
  }

  async stop(): Promise<void> {
    this.#reader.close();
    await this.api.stop();
  }

  async restart(options: Partial<KafkaEngineOptions> = {}): Promise<void> {
    await this.stop();
    this.#options = { ...this.#options, ...options };
    await this.open();
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  run(sql: string): Promise<readonly StatementResult[]> {
    return this.api.execute({ sql, owner: 'api' });
  }

  rows(table: string): readonly (readonly unknown[])[] {
    const session = this.#reader.session();
    try {
      return [...session.scan({ table })].map(({ row }) => row);
    } finally {
      session.close();
    }
  }

  /** That is applied. */
  seq(): number {
    const session = this.#reader.session();
    try {
      return session.frontier.seq;
    } finally {
      session.close();
    }
  }

  /** State of a query by the name of its sink; `none` where there is none. */
  async state(sink: string): Promise<string> {
    return (await this.api.queries()).find((query) => query.sink === sink)?.state ?? 'none';
  }

  async unsent(): Promise<number> {
    return (await this.api.outbox())?.entries ?? 0;
  }
}
