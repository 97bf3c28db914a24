// A connector as the engine sees it: opens its tables and its producer, asks where to go on, and sends its source's transactions from
// there, cut into chunks anywhere. Its source goes on committing meanwhile, whatever becomes of the process.
import type { AppError } from '../../src/core/errors.js';
import { toAppError } from '../../src/core/errors.js';
import type { AppendProducer } from '../../src/stream/event-log.js';
import { BIGINT, STRING } from '../../src/core/data-type.js';
import type { SourceTable } from '../../src/core/row-encoder.js';
import { topicName } from '../../src/core/topic-name.js';
import type { Dice } from '../support/harness/dice.js';
import { buildChunk, type ChunkPart } from '../support/chunk.js';
import { columnsOf, derivedTables, type ModelRecord, type ModelRow, type ModelSource } from './model.js';
import type { SimulatedProcess } from './process.js';

const output = {
  valueFormat: 'JSON',
  keyFormat: 'JSON',
  keyShape: 'bare',
  shape: 'flat',
  partitions: 1,
  cleanup: 'compact',
} as const;

export interface CaptureChances {
  /** That a transaction makes a query fail. */
  readonly poison: number;
  /** That it holds a record which does not decode. */
  readonly broken: number;
  /** That it is long enough for a spill file. */
  readonly long: number;
  /** That the connector is restarted alone instead of sending: its earlier producer is fenced, with what waits of it. */
  readonly again: number;
}

const keys = 14;
const snapshotRows = 7;
/** More than the bound of what waits in memory, together. */
const longRecords = 12;
const longText = 'x'.repeat(200 * 1024);

function sourceTable(table: string): SourceTable {
  const columns = columnsOf[table]!.map((name) => ({ name, type: name === 'name' ? STRING : BIGINT, nullable: true }));
  return { database: 'db', table, columns, keyColumns: [0] } as unknown as SourceTable;
}

export const topicOf = (table: string): string =>
  topicName({ topicPrefix: 'p', topicForm: 'dotted' }, sourceTable(table));

export class CaptureActor {
  readonly source: ModelSource;
  readonly name: string;
  readonly #dice: Dice;
  readonly #chances: CaptureChances;
  readonly #onError: (error: AppError) => void;
  #process: SimulatedProcess | undefined;
  #producer: AppendProducer | undefined;
  #busy = false;
  /** Transactions that are sent whole, by this producer; and how many records of the next one are. */
  #sent = 0;
  #within = 0;
  /** The highest position that was ever told as durable. */
  durable = 0;

  constructor(source: ModelSource, dice: Dice, chances: CaptureChances, onError: (error: AppError) => void) {
    this.source = source;
    this.name = `connector ${source.connector}`;
    this.#dice = dice;
    this.#chances = chances;
    this.#onError = onError;
    this.#snapshot();
  }

  /** All that its source has committed is durable. */
  isIdle(process: SimulatedProcess): boolean {
    return this.#process === process && !this.#busy && this.durable === this.source.transactions.length;
  }

  act(process: SimulatedProcess, commits: boolean): boolean {
    if (this.#busy && this.#process === process) return false;
    if (this.#process !== process) {
      this.#process = process;
      this.#producer = undefined;
      this.#begin(() => this.#open(process));
      return true;
    }
    if (this.#producer === undefined) {
      this.#begin(() => this.#open(process));
      return true;
    }
    if (commits && this.#dice.chance(0.6)) this.#commit();
    if (this.#sent === this.source.transactions.length) return false;
    this.#begin(() => (this.#dice.chance(this.#chances.again) ? this.#open(process) : this.#send(process)));
    return true;
  }

  #begin(work: () => Promise<void>): void {
    this.#busy = true;
    const process = this.#process;
    const end = (error?: unknown): void => {
      if (this.#process !== process || process?.state === 'gone') return;
      this.#busy = false;
      if (error === undefined) return;
      // As its task would be: started again.
      this.#producer = undefined;
      const told = toAppError(error);
      if (!told.retriable && process?.state === 'up') this.#onError(told);
    };
    work().then(() => end(), end);
  }

  /** The producer first: it decides what the one before it has left open, which else holds up everybody. */
  async #open(process: SimulatedProcess): Promise<void> {
    const producer = await process.openProducer(this.source.producer);
    for (const table of this.source.tables) {
      await process.api.openTable({
        connector: this.source.connector,
        table: sourceTable(table),
        topic: topicOf(table),
        output,
        hidden: true,
        createTable: true,
      });
    }
    this.#sent = Number(producer.position ?? 0);
    this.#within = 0;
    this.#told(this.#sent);
    producer.onDurable((position) => this.#told(Number(position)));
    this.#producer = producer;
  }

  #told(position: number): void {
    if (position < this.durable)
      this.#onError(toAppError(new Error(`position ${position} is told after ${this.durable}`)));
    this.durable = position;
  }

  async #send(process: SimulatedProcess): Promise<void> {
    const producer = this.#producer!;
    const parts: ChunkPart[] = [];
    const goal = this.#dice.between(1, 12);
    while (parts.length < goal && this.#sent < this.source.transactions.length) {
      const transaction = this.source.transactions[this.#sent]!;
      const record = transaction.records[this.#within];
      if (record === undefined) {
        parts.push({ end: this.#end(transaction.completes) });
        this.#sent++;
        this.#within = 0;
        continue;
      }
      parts.push(recordPart(record, this.#sent < snapshotAppends));
      this.#within++;
    }
    await producer.write(buildChunk(parts));
    if (this.#dice.chance(0.1) && process.up) await producer.flush();
  }

  #end(completes: boolean) {
    const topics = this.source.tables.map(topicOf);
    const { connector } = this.source;
    const position = String(this.#sent + 1);
    const commitTimeUs = 1_767_000_000_000_000 + (this.#sent + 1) * 1000;
    if (!completes) return { position, commitTimeUs };
    return { position, commitTimeUs, control: { kind: 'snapshot-completed' as const, connector, topics } };
  }

  #snapshot(): void {
    for (let part = 0; part < snapshotAppends; part++) {
      const table = this.source.tables[part % this.source.tables.length]!;
      const records = Array.from({ length: snapshotRows }, (_, i): ModelRecord => {
        const key = (part * snapshotRows + i) % keys;
        return { table, key, row: this.#row(table, key) };
      });
      this.source.add({
        records: part === snapshotAppends - 1 ? [] : records,
        completes: part === snapshotAppends - 1,
      });
    }
  }

  #commit(): void {
    const dice = this.#dice;
    const records: ModelRecord[] = Array.from({ length: dice.chance(0.1) ? 0 : dice.between(1, 6) }, () => {
      const table = dice.pick(this.source.tables);
      const key = dice.between(0, keys - 1);
      return { table, key, row: dice.chance(0.25) ? null : this.#row(table, key) };
    });
    const named = this.source.tables.find((table) => columnsOf[table]!.includes('name'));
    if (named !== undefined && dice.chance(this.#chances.long)) {
      for (let i = 0; i < longRecords; i++) {
        const key = dice.between(0, keys - 1);
        records.push({ table: named, key, row: this.#row(named, key, longText) });
      }
      for (let key = 0; key < keys; key++) records.push({ table: named, key, row: this.#row(named, key) });
    }
    if (named !== undefined && dice.chance(this.#chances.poison)) {
      const key = dice.between(0, keys - 1);
      records.push({ table: named, key, row: this.#row(named, key, `poison ${this.#victim()}`) });
    }
    if (named !== undefined && dice.chance(this.#chances.broken))
      records.push({ table: named, key: 1, row: this.#row(named, 1), broken: true });
    this.source.add({ records, completes: false });
  }

  /** Of those that are there, rather one that is being built. */
  #victim(): string {
    const dice = this.#dice;
    const process = this.#process;
    const { built, there } = process?.up === true ? process.derived() : { built: [], there: [] };
    if (built.length > 0 && dice.chance(0.5)) return dice.pick(built);
    return there.length > 0 && dice.chance(0.7) ? dice.pick(there) : dice.pick(derivedTables).name;
  }

  #row(table: string, id: number, name = ''): ModelRow {
    const small = (): number | null => (this.#dice.chance(0.2) ? null : this.#dice.between(0, 9));
    return table === 'b' ? [id, small()] : [id, small(), this.#dice.between(0, 12), name];
  }
}

/** The appends of the first snapshot, the last of which completes it. */
const snapshotAppends = 4;

function recordPart({ table, key, row, broken }: ModelRecord, snapshot: boolean): ChunkPart {
  return {
    topic: topicOf(table),
    key: JSON.stringify(key),
    value: broken === true ? '{"id":' : row === null ? null : rowJson(table, row),
    ...(snapshot ? { op: 'r' as const } : {}),
  };
}

/** The value as it lies in the topic. */
export function rowJson(table: string, row: ModelRow): string {
  return JSON.stringify(Object.fromEntries(columnsOf[table]!.map((name, i) => [name, row[i]])));
}
