// Outbox tables of a connector (EventRouter): their encoders, and the topics of their events, which are made as rows name them. The topic
// that the table itself would have is made, too, and stays empty: it says that the table is captured.
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { RowEncoder, SourceTable } from '../core/row-encoder.js';
import { splitName } from '../core/table-name.js';
import type { RecordChunkBuilder } from '../schema/formats/chunk-builder.js';
import { OutboxRowEncoder, SilentRowEncoder } from '../schema/formats/outbox-row-encoder.js';
import type { OutputSettings, RecordForm } from './output-settings.js';
import { RoutedTopics } from './routed-topics.js';
import { isOutbox, type PlannedEvents } from './event-plan.js';
import type { TablePlan } from './table-plan.js';
import { newTopicOf } from './topic-creation.js';

export interface EventTablesEnv {
  readonly output: OutputSettings;
  readonly logger: Logger;
  /** Makes a topic without a table; resolves with the name that it has. */
  readonly open: (table: SourceTable, topic: string, form: RecordForm) => Promise<string>;
}

export class EventTables {
  readonly #env: EventTablesEnv;
  readonly #topics: RoutedTopics;

  constructor(env: EventTablesEnv) {
    this.#env = env;
    this.#topics = new RoutedTopics({
      partitionsOf: (topic) => newTopicOf(env.output, topic).partitions,
      open: (table) => env.open(table, table.table, this.#form(table.table)),
    });
  }

  /** Of a table by its `database.table`. */
  has(name: string): boolean {
    return isOutbox(splitName(name), this.#env.output);
  }

  /** `held`: for rows that are held of it, which there are none. */
  async encoder(
    table: SourceTable,
    { topic, events }: Pick<TablePlan, 'topic'> & { readonly events: PlannedEvents },
    chunks: RecordChunkBuilder,
  ): Promise<RowEncoder> {
    await this.#env.open(table, topic, this.#form(topic));
    return this.over(table, { topic, events }, chunks);
  }

  over(
    table: SourceTable,
    { topic, events: { routing, outbox } }: Pick<TablePlan, 'topic'> & { readonly events: PlannedEvents },
    chunks: RecordChunkBuilder,
  ): RowEncoder {
    return new OutboxRowEncoder({
      table,
      topic,
      plan: outbox,
      chunks,
      routeOf: this.#topics.router(routing),
      onUpdate: this.#onUpdate(`${table.database}.${table.table}`, routing.onUpdate),
    });
  }

  silent(table: SourceTable, topic: string): RowEncoder {
    return new SilentRowEncoder(table, topic);
  }

  /** Topics of events that are encoded are there when their records are handed over. */
  openFresh(): Promise<void> {
    return this.#topics.openFresh();
  }

  /** A line for each table and task; as many as there are updates would tell no more. */
  #onUpdate(table: string, behavior: 'warn' | 'error' | 'fatal'): () => void {
    let told = false;
    return () => {
      if (behavior === 'fatal')
        throw new AppError('unconvertible-value', `a row of the outbox table ${table} was updated, which is no event`, {
          hint: 'set table.op.invalid.behavior to "warn", or insert a row for each event',
        });
      if (!told) this.#env.logger[behavior]('rows of an outbox table are updated, which is no event', { table });
      told = true;
    };
  }

  /** Events are no rows of a table: of one key there are many, and all stay. */
  #form(topic: string): RecordForm {
    const { envelope: _, schemas: __, topicGroups: ___, ...output } = this.#env.output;
    const { partitions, retention } = newTopicOf(this.#env.output, topic);
    return {
      ...output,
      shape: 'flat',
      cleanup: 'delete',
      partitions,
      retention,
      keyFormat: 'JSON',
      valueFormat: 'JSON',
    };
  }
}
