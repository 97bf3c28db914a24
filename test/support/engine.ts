// A whole engine in the test's thread, over a file of its own: statements, captured tables whose rows the test writes as a connector
// would, reads and subscriptions by the reader's face. Stopping and opening again is a restart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { RecordForm } from '../../src/connect/output-settings.js';
import { producerName } from '../../src/connect/naming.js';
import { topicName } from '../../src/core/topic-name.js';
import type { TableSources } from '../../src/connect/source-freshness.js';
import type { AppendControl } from '../../src/core/append-control.js';
import { INTEGER, STRING, type RowSchema } from '../../src/core/data-type.js';
import { toAppError } from '../../src/core/errors.js';
import type { SourceTable } from '../../src/core/row-encoder.js';
import type { StatementResult } from '../../src/projector/statement-facade.js';
import type { ReadSession, StateReader } from '../../src/store/state-store.js';
import { openStateReader } from '../../src/store/sqlite/state-reader.js';
import { connectBridge } from '../../src/stream/bridge/bridge-client.js';
import type { AppendProducer } from '../../src/stream/event-log.js';
import type { EngineApi, EngineOptions } from '../../src/engine/engine-api.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { appendChunk, type TestRecord } from './chunk.js';

export const output: RecordForm = {
  valueFormat: 'JSON',
  keyFormat: 'JSON',
  keyShape: 'bare',
  shape: 'flat',
  partitions: 1,
  cleanup: 'compact',
};

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestRow {
  readonly table: string;
  readonly key: number | string;
  /** Null: deleted. */
  readonly row: Readonly<Record<string, unknown>> | null;
}

export class TestEngine {
  readonly folder: string;
  readonly log: LogLine[] = [];
  readonly connector = 'c';
  api!: EngineApi;
  reader!: StateReader;
  producer!: AppendProducer;
  failed: unknown;
  onCommitted: (seq: number) => void = () => {};
  /** As they were told last. */
  tableSources: readonly TableSources[] = [];
  onTableSources: (tables: readonly TableSources[]) => void = () => {};
  readonly #options: Partial<EngineOptions>;
  #bridge: MessageChannel | undefined;
  #position = 0;

  constructor(options: Partial<EngineOptions> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'wt-engine-'));
    this.#options = options;
  }

  async open(): Promise<this> {
    const options: EngineOptions = {
      dataFolder: this.folder,
      durability: 'normal',
      serviceId: 'writethrough',
      strict: false,
      stream: { kind: 'embedded' },
      role: 'leader',
      feed: { ms: 86_400_000, bytes: 1024 ** 3 },
      properties: {},
      ...this.#options,
    };
    this.api = await openEngine(options, {
      ready: () => {},
      committed: (seq) => this.onCommitted(seq),
      tableSources: (tables) => this.onTableSources((this.tableSources = tables)),
      failed: (error) => (this.failed = error),
      log: (level, message, fields) => void this.log.push({ level, message, fields }),
    });
    this.reader = openStateReader(join(this.folder, 'writethrough.db'));
    // On Kafka capture threads write to the brokers themselves.
    if (options.stream.kind === 'kafka') return this;
    this.#bridge = new MessageChannel();
    await this.api.attachCapture({ port: this.#bridge.port1 });
    this.producer = await connectBridge(this.#bridge.port2).openProducer(producerName(this.connector));
    return this;
  }

  async stop(): Promise<void> {
    this.reader.close();
    await this.api.stop();
    this.#bridge?.port2.close();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.open();
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  run(sql: string): Promise<readonly StatementResult[]> {
    return this.api.execute({ sql, owner: 'api' });
  }

  /** Of the newest append that is applied. */
  seq(): number {
    return this.session(({ frontier }) => frontier.seq);
  }

  /** The code of the error that the statement is refused with, or `ok`. */
  async tryRun(sql: string): Promise<string> {
    try {
      await this.run(sql);
      return 'ok';
    } catch (error) {
      return toAppError(error).code;
    }
  }

  async capture(
    table: string,
    columns: RowSchema['columns'] = idAndName,
    hidden = false,
    settings: Partial<Omit<RecordForm, 'keyFormat'>> = {},
    keyColumns: readonly number[] = [0],
  ): Promise<void> {
    await this.api.openTable({
      connector: this.connector,
      table: sourceTable(table, columns, keyColumns),
      topic: this.topic(table),
      output: { ...output, ...settings },
      hidden,
      createTable: true,
    });
  }

  topic(table: string): string {
    return topicName({ topicPrefix: 'p', topicForm: 'dotted' }, sourceTable(table, idAndName));
  }

  /** One append; resolves when it is applied. */
  async write(rows: readonly TestRow[], control?: AppendControl, commitTimeUs?: number): Promise<number> {
    await this.send(rows, control, commitTimeUs);
    return this.producer.flush();
  }

  /** One append, not waited for. */
  send(rows: readonly TestRow[], control?: AppendControl, commitTimeUs?: number): Promise<void> {
    const records = rows.map(({ table, key, row }): TestRecord => ({
      topic: this.topic(table),
      key: JSON.stringify(key),
      value: row === null ? null : JSON.stringify(row),
    }));
    return this.producer.write(
      appendChunk(String(++this.#position), records, {
        ...(control ? { control } : {}),
        ...(commitTimeUs === undefined ? {} : { commitTimeUs }),
      }),
    );
  }

  session<T>(read: (session: ReadSession) => T): T {
    const session = this.reader.session();
    try {
      return read(session);
    } finally {
      session.close();
    }
  }

  rows(table: string): readonly (readonly unknown[])[] {
    return this.session((session) => [...session.scan({ table })].map(({ row }) => row));
  }

  codeOf(table: string): string {
    try {
      this.rows(table);
      return 'ok';
    } catch (error) {
      return toAppError(error).code;
    }
  }

  /** Derives a table again, and waits for its swap. */
  async rebuild(table: string): Promise<void> {
    await this.api.rebuild(table);
    await until(
      async () => (await this.api.rebuilds()).some((each) => each.table === table && each.state === 'done'),
      `${table} is rebuilt`,
    );
  }

  async state(query: string): Promise<string | undefined> {
    return (await this.api.queries()).find(({ id, sink }) => id === query || sink === query)?.state;
  }
}

export const idAndName: RowSchema['columns'] = [
  { name: 'id', type: INTEGER },
  { name: 'name', type: STRING },
];

function sourceTable(table: string, columns: RowSchema['columns'], keyColumns: readonly number[] = [0]): SourceTable {
  return {
    database: 'db',
    table,
    columns: columns.map((column) => ({ ...column, nullable: true })),
    keyColumns,
  } as unknown as SourceTable;
}

/** Lets the engine's loop and the messages between threads have their turns until the condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 15_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
