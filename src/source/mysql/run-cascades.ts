// The part of a run that foreign keys take which are followed here: the tables that are read before the stream begins, the events whose
// rows are handed over together with those that follow from them, and the statements that change the keys.
import { AppError } from '../../core/errors.js';
import type { Chunk } from '../../core/append.js';
import type { Logger } from '../../core/logger.js';
import type { SnapshotProgress, SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import type { CascadeStep } from './cascade-rows.js';
import type { Cascades, KeysBehind } from './cascades.js';
import type { Inspection } from './checks.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import { beginFollowing, followBehind } from './key-following.js';
import { LinkedSnapshot, type UnreadTable } from './linked-snapshot.js';
import type { SnapshotCursor, StreamPosition } from './position.js';
import type { RowsTable } from './rows-event.js';
import type { Server } from './server.js';
import type { Snapshots } from './snapshots.js';
import type { SnapshotTable } from './snapshot-chunk.js';
import type { TransactionReader } from './transaction-reader.js';
import type { Wakeup } from './wakeup.js';

export interface RunCascadesOptions {
  readonly config: MysqlConfig;
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly cascades: Cascades;
  readonly columns: ColumnKnowledge;
  readonly chunkBytes: number;
  readonly sourceNowUs: () => number;
  readonly wakeup: Wakeup;
  readonly logger: Logger;
}

export interface RunParts {
  readonly reader: TransactionReader;
  readonly session: Session;
  readonly snapshots: Snapshots;
}

export class RunCascades {
  readonly #options: RunCascadesOptions;
  #linked: LinkedSnapshot | undefined;
  /** The rows of an event with those that follow from them, and the table of that event (folded). */
  #rows: AsyncGenerator<CascadeStep> | undefined;
  #followed = '';
  /** What was read of a first snapshot is not whole, or may hold what the stream then told: nothing of it is to stay. */
  beginsAnew = false;

  constructor(options: RunCascadesOptions) {
    this.#options = options;
  }

  begin(session: Session, inspection: Inspection, fresh: boolean): Promise<void> {
    return beginFollowing({ ...this.#options, session }, inspection, fresh);
  }

  /** Reads what has to be held before the stream begins; gives where that is, or undefined where there is nothing of the kind. */
  async *readLinked(
    tables: readonly SnapshotTable[],
    cursor: SnapshotCursor,
    from: {
      readonly stream: StreamPosition;
      readonly fresh: boolean;
      readonly session: Session;
      readonly server: Server;
    },
  ): AsyncGenerator<Chunk, { readonly stream: StreamPosition; readonly cursor: SnapshotCursor } | undefined> {
    const { cascades, captured } = this.#options;
    if (!from.fresh || cursor.linked !== undefined) return undefined;
    const linked = tables.filter(({ open }) => cascades.tables.has(captured.known.fold(open.name)));
    if (linked.length === 0) return undefined;
    await cascades.declare();
    const { stream: position, session, server } = from;
    const first = new LinkedSnapshot({
      ...this.#options,
      connection: session.options,
      server,
      tables: linked,
      position,
    });
    this.#linked = first;
    this.beginsAnew = true;
    yield* first.chunks();
    return { stream: first.position, cursor: { table: null, key: null, linked: first.names } };
  }

  /** The cursor says what has been read, and which of it is not whole: the next run may go on behind it. */
  linkedIsKept(): void {
    this.beginsAnew = false;
  }

  /** Tables (folded) that could not be read before the stream began. */
  get unread(): readonly UnreadTable[] {
    return this.#linked?.unread ?? [];
  }

  get progress(): SnapshotProgress['tables'] {
    return this.#linked?.progress ?? [];
  }

  /** The stream has passed everything that the first view may have held. */
  isPast(reader: TransactionReader): boolean {
    const doubtful = this.#linked?.doubtfulUpTo;
    return doubtful === undefined || reader.reached(doubtful);
  }

  /** This event's rows, and what follows from them, are handed over by `step`. */
  follow(event: Buffer, table: RowsTable, { reader, session, snapshots }: RunParts): void {
    const { cascades, captured, context, chunkBytes } = this.#options;
    this.#followed = captured.known.fold(table.open.name);
    this.#rows = cascades.rowsOf(event, table, {
      hasRoom: () => context.chunks.byteLength < chunkBytes,
      passOver: reader.rowsToPassOver,
      counted: (rows) => reader.counted(rows),
      session: () => session,
      meets: (name, below) => snapshots.meets(name, below),
      readAgain: (names) => snapshots.callFollowing(names),
      isCalled: (name) => snapshots.isCalled(name),
    });
  }

  /** Rows of an event are not all handed over, with those that follow from them: `step` goes on with it. */
  get isFollowing(): boolean {
    return this.#rows !== undefined;
  }

  /** False: the chunk has to go out first, and then this is called again. */
  async step(reader: TransactionReader): Promise<boolean> {
    if (this.#rows === undefined) return true;
    const done = await this.#next(this.#rows, reader);
    if (!done) {
      // There may be nothing in the chunk, and nothing else to wait for.
      this.#options.wakeup.notify();
      return false;
    }
    this.#rows = undefined;
    if (this.#options.cascades.rows > 0 && !this.isPast(reader)) {
      this.beginsAnew = true;
      throw new AppError('source-unreachable', 'rows followed others at the very moment at which the snapshot began', {
        retriable: true,
      });
    }
    return true;
  }

  /** True: all rows are there, or the table of the event stands still. */
  async #next(rows: AsyncGenerator<CascadeStep>, reader: TransactionReader): Promise<boolean> {
    try {
      return (await rows.next()).done === true;
    } catch (error) {
      reader.standStill(this.#followed, error);
      return true;
    }
  }

  async followKeys(what: KeysBehind, { reader, session, snapshots }: RunParts): Promise<void> {
    await followBehind({ ...this.#options, session, snapshots }, what);
    reader.keysKnown = true;
  }

  async close(): Promise<void> {
    await this.#rows?.return(undefined);
    this.#options.cascades.end();
  }
}
