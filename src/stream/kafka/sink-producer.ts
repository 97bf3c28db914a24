// Writes what queries derive (sink topics) from the engine's outbox. Its position is the number of the last group that is out
// (core/derived.ts), stored with the group in one transaction: after a crash the engine asks for the position and hands over what lies
// behind it. Readers of the log pass these commits over; consumers of the topics see ordinary records, with the seq of the append that
// caused them in a header.
import { nothingDerived, parseNumber, printNumber, type DerivedGroup, type DerivedNumber } from '../../core/derived.js';
import type { AppError } from '../../core/errors.js';
import type { KafkaProducer } from './kafka-producer.js';

/** No connector can have this name. */
export const sinkProducerName = '@sinks';

/** Where the derived records of a log stand. `earlier`: an earlier version numbered them in its own way, and none since. */
export type SinkPosition =
  { readonly kind: 'number'; readonly number: DerivedNumber } | { readonly kind: 'earlier'; readonly number: number };

export interface SinkProducer {
  /** The last group that is out. */
  readonly position: DerivedNumber;
  /**
   * Takes a group, atomically; numbers rise from call to call. Resolves when there is room for more, not when durable. Rejects when
   * the producer is fenced or the log failed for good, and with TopicRefusal when a topic of it cannot be written.
   */
  write(group: DerivedGroup): Promise<void>;
  /** Called, in order, with the number up to which groups are durable: the outbox may drop them. */
  onDurable(listener: (number: DerivedNumber) => void): void;
  /** Resolves with the cause when nothing more is taken. */
  readonly ended: Promise<AppError>;
  /** Waits until everything taken is durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function parseSinkPosition(position: string | null): SinkPosition {
  if (position === null) return { kind: 'number', number: nothingDerived };
  const number = parseNumber(position);
  return number === undefined ? { kind: 'earlier', number: Number(position) } : { kind: 'number', number };
}

export function createSinkProducer(producer: KafkaProducer): SinkProducer {
  const position = parseSinkPosition(producer.position);
  return {
    // What stands in the outbox of before is numbered anew and lies behind this.
    position: position.kind === 'number' ? position.number : nothingDerived,
    write: ({ seq, piece, commitTimeUs, records }) =>
      producer.append({ position: printNumber({ seq, piece }), commitTimeUs, records }),
    onDurable: (listener) => producer.onDurable((durable) => listener(parseNumber(durable)!)),
    ended: producer.failure,
    async flush() {
      await producer.flush();
    },
    close: () => producer.close(),
  };
}
