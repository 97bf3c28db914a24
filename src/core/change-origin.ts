// What a source knows of the change at hand beside its row: where it stands in the binlog, who wrote it, and when it was committed. The
// source sets it once per event, not per row, and encoders of forms that tell it (Debezium's `source`, added fields) read it; the others
// never look at it. One per source task, since its rows come one after the other.
import { TransactionId } from './transaction-id.js';

export class ChangeOrigin {
  /** Another number for each event: what was made of one holds as long as it stays. */
  stamp = 0;
  /** `true`: a row of the first snapshot; `incremental`: read again beside the stream. */
  snapshot: 'true' | 'incremental' | 'false' = 'false';
  /** When it was committed, µs since 1970; of a snapshot when it was read. */
  timeUs = 0;
  /** 0: none, as in a snapshot. */
  serverId = 0;
  file = '';
  /** Where the event begins in the file. */
  position = 0;
  /** The place of the next row in its event: whoever tells it counts on. 0 for all rows that are read. */
  row = 0;
  /** The number of the connection that wrote it, where the source tells. */
  thread: number | null = null;
  /** The statement's text, where the source tells and it is asked for. */
  query: string | null = null;

  #id: TransactionId | string | null = null;
  #events = 0;
  readonly #eventsOfTables = new Map<string, number>();

  /** The transaction at hand, as its events name it; null: none, as in a snapshot. */
  get transaction(): string | null {
    return this.#id instanceof TransactionId ? this.#id.text : this.#id;
  }

  /** Of the transaction; null: it has none. */
  get gtid(): string | null {
    return this.#id instanceof TransactionId ? this.#id.text : null;
  }

  /**
   * A transaction begins, whose events are counted anew; or it goes on over a new connection. `id`: its GTID, or the text that its events
   * name it by.
   */
  transactionOf(id: TransactionId | string, timeUs: number, goesOn: boolean): void {
    this.#id = id;
    this.timeUs = timeUs;
    this.thread = null;
    this.query = null;
    if (goesOn) return;
    this.#events = 0;
    if (this.#eventsOfTables.size > 0) this.#eventsOfTables.clear();
  }

  /** One event more of `database.table`: its place in the transaction, and among those of the table. */
  count(table: string): readonly [total: number, inTable: number] {
    const inTable = (this.#eventsOfTables.get(table) ?? 0) + 1;
    this.#eventsOfTables.set(table, inTable);
    return [++this.#events, inTable];
  }

  /** Those that were counted. */
  get events(): number {
    return this.#events;
  }

  get eventsOfTables(): ReadonlyMap<string, number> {
    return this.#eventsOfTables;
  }

  /** An event of the stream begins; `row`: of the first one that is handed over. */
  event(file: string, position: number, serverId: number, row: number): void {
    this.stamp++;
    this.snapshot = 'false';
    this.serverId = serverId;
    this.file = file;
    this.position = position;
    this.row = row;
  }

  /** Rows of a snapshot follow, read when the stream had come to this place. */
  read(snapshot: 'true' | 'incremental', at: { readonly file: string; readonly offset: number } | undefined): void {
    this.stamp++;
    this.snapshot = snapshot;
    this.timeUs = Date.now() * 1000;
    this.serverId = 0;
    this.file = at?.file ?? '';
    this.position = at?.offset ?? 0;
    this.row = 0;
    this.thread = null;
    this.query = null;
    this.#id = null;
  }
}
