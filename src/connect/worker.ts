// Runs one source connector: source -> log. Order of steps, and what a crash between any two leaves behind:
//   1. open the producer of this connector: fences an earlier one; gives the position of the last durable append
//   2. start the source behind that position
//   3. hand each chunk to the producer, waiting for room (back-pressure reaches the source's socket, since it is not asked for more)
//   4. when an append is durable, tell the source (`confirmed`), which may prune
// Beside that: what the source confirms to have handed over is told with the seq at which it is in the log, once it is durable there.
// A crash before an append is durable: it is not in the log, and the next start reads it again from the position. A crash after: it
// is in the log with its position, and the next start goes on behind it. So nothing is lost and nothing is doubled, whatever falls
// between 3 and 4, because position and records are one append.
import { isAbort } from '../core/backoff.js';
import { toAppError } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Logger } from '../core/logger.js';
import { positionToResume, type Chunk } from '../core/append.js';
import type { ChunkBuilder } from '../core/row-encoder.js';
import type { SourceConnector, SourceContext, SourceReport } from '../source/source-connector.js';
import type { AppendProducer } from '../stream/event-log.js';
import { Confirmations } from './confirmations.js';
import { EncodedComparison, type EncoderMakers } from './row-comparison.js';
import { heldRows, heldTables, type HeldRowsEnv } from './held-rows.js';

export interface ConnectorRun {
  readonly name: string;
  readonly source: SourceConnector;
  readonly openProducer: () => Promise<AppendProducer>;
  readonly chunks: ChunkBuilder;
  readonly openTable: SourceContext['openTable'];
  readonly recordsOf: SourceContext['recordsOf'];
  readonly openSideRecords: SourceContext['openSideRecords'];
  readonly encoders: EncoderMakers;
  /** What a chunk's records need is there when it is written. */
  readonly beforeWrite: () => Promise<void>;
  readonly held: Omit<HeldRowsEnv, 'connector' | 'producer' | 'isOpen'>;
  readonly report: (report: SourceReport) => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Ends when the signal aborts; rejects with the error that stops the task. */
export async function runConnector(run: ConnectorRun): Promise<void> {
  const { source, logger, signal } = run;
  let producer: AppendProducer | undefined;
  try {
    const opened = (producer = await run.openProducer());
    producer.onDurable((position) => source.confirmed(position));
    const reports = new Confirmations(producer, run.report);
    logger.info('connector starts', { position: producer.position });
    failpoint('source-before-first-chunk');
    let isOpen = false;
    const held: HeldRowsEnv = { ...run.held, connector: run.name, producer: () => opened, isOpen: () => isOpen };
    const context: SourceContext = {
      logger,
      signal,
      chunks: run.chunks,
      openTable: run.openTable,
      recordsOf: run.recordsOf,
      openSideRecords: run.openSideRecords,
      heldTables: () => heldTables(held),
      heldRows: heldRows(held),
      comparison: new EncodedComparison(
        { connector: run.name, settled: () => heldRows(held).settled(), compareRows: held.compareRows },
        run.encoders,
      ),
      reportState: (state) => reports.state(state),
      confirm: (atMs) => reports.confirm(atMs),
      sourceClock: (sourceUs, atMs) => reports.clock(sourceUs, atMs),
    };
    for await (const chunk of source.chunks(positionToResume(producer.position), context)) {
      if (signal.aborted) break;
      await run.beforeWrite();
      failpoint('connect-before-append');
      isOpen = endsOpen(chunk, isOpen);
      await producer.write(chunk);
      failpoint('connect-after-append');
    }
  } catch (error) {
    if (!(signal.aborted && isAbort(error))) throw toAppError(error);
  } finally {
    await source.close();
    await producer?.close();
  }
}

/** Records behind the last end belong to an append that goes on. */
function endsOpen({ ends, recordCount }: Chunk, before: boolean): boolean {
  if (ends.length === 0) return before || recordCount > 0;
  return ends.recordEnd(ends.length - 1) < recordCount;
}
