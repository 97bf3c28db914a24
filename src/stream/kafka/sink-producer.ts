// Writes what queries derive (sink topics) from the engine's outbox. Its position is the seq of the append that caused the records,
// stored with them in one transaction: after a crash the engine asks for the position and hands over what lies behind it again.
// Readers of the log pass these commits over; consumers of the topics see ordinary records, with the seq in a header.
import type { DerivedRecords } from '../pending-append.js';
import type { KafkaProducer } from './kafka-producer.js';

/** No connector can have this name. */
export const sinkProducerName = '@sinks';

export interface SinkProducer {
  /** Derived records of every append up to this seq are durable; 0: of none. */
  readonly position: number;
  /**
   * Takes the derived records of one append, atomically; seqs rise from call to call, one call per seq. Resolves when there is room
   * for more, not when durable. Rejects when the producer is fenced or the log failed for good.
   */
  write(derived: DerivedRecords): Promise<void>;
  /** Called, in order, with the seq up to which derived records are durable: the outbox may drop them. */
  onDurable(listener: (seq: number) => void): void;
  /** Waits until everything taken is durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createSinkProducer(producer: KafkaProducer): SinkProducer {
  return {
    position: Number(producer.position ?? 0),
    write: ({ seq, commitTimeUs, records }) => producer.append({ position: String(seq), commitTimeUs, records }),
    onDurable: (listener) => producer.onDurable((position) => listener(Number(position))),
    async flush() {
      await producer.flush();
    },
    close: () => producer.close(),
  };
}
