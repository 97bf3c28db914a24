// Topics as definitions make them: part of what applying one does, inside the engine's open transaction, so that topic, schemas, table and
// query are there together or not at all. Embedded, the topics themselves lie in that transaction. On Kafka what lies in it is which
// topics are wanted; the process that may write makes the brokers follow behind the commit (engine/topic-upkeep.ts).
import { AppError } from '../core/errors.js';
import { printLimit, retentionOf, type AskedRetention, type TopicRetention } from '../core/topic-retention.js';
import type { TopicSettings, TopicSpec } from '../stream/event-log.js';

export interface DefinedTopics {
  /** As the definitions until here have left it; undefined: none of that name is known. */
  find(name: string): KnownTopic | undefined;
  /** No record was ever written to it. False where that is not known for certain. */
  isEmpty(name: string): boolean;
  /** Records up to this seq may be gone by retention; 0 where none are, or where the sequence does not tell (Kafka). */
  lostSeq(name: string): number;
  /** Of a name that `find` does not know. Throws invalid-statement where no topic can have it. */
  create(spec: TopicSpec): void;
  /** One that others have made: it is there, with these partitions. */
  adopt(name: string, seen: SeenTopic): void;
  /** One that `find` knows has these limits from this seq on. */
  alter(name: string, limits: TopicRetention, seq: number): void;
  /** At this seq. */
  delete(name: string, seq: number): void;
  /** No definition names it any more; it stays as it is. */
  release(name: string): void;
  /** The brokers have made the topic that was wanted, or have deleted the one that was not. */
  made(name: string, id: string): void;
  /** They have given it the limits of the alteration at this seq. */
  settled(name: string, seq: number): void;
  dropped(name: string, id: string): void;
}

/** Its settings are as definitions have made them; nobody says what others do to them. */
export interface KnownTopic extends TopicSettings {
  readonly partitions: number;
}

/** What the brokers said of a topic when the definition was appended: the sequence itself does not tell what others make. */
export interface SeenTopic {
  readonly partitions: number;
  /** Tells it from earlier and later ones of its name. */
  readonly id: string;
  /** The log has neither made it nor written a record of it: others do. */
  readonly foreign: boolean;
  /** Undefined: not known to the version that asked. */
  readonly settings?: TopicSettings | undefined;
}

export interface WantedTopic {
  readonly name: string;
  /** As declared; null: as many as it has. */
  readonly partitions: number | null;
  readonly cleanup: TopicSpec['cleanup'];
  /** As declared: an existing one has to have it. */
  readonly retention: AskedRetention;
  /** For a new one, where nothing is declared. */
  readonly defaults: AskedRetention;
  readonly seen: SeenTopic | null;
  /** For a new one without a declared number; null: it has to be there. */
  readonly otherwise: number | null;
}

/** Makes sure of a topic; gives the number of its partitions. Throws invalid-statement where it is another than is wanted. */
export function ensureTopic(
  topics: DefinedTopics,
  { name, partitions, cleanup, retention, defaults, seen, otherwise }: WantedTopic,
): number {
  const there = topics.find(name) ?? seen;
  if (!there) {
    const count = partitions ?? otherwise;
    if (count === null) {
      throw new AppError('invalid-statement', `Kafka topic does not exist: ${name}`, {
        hint: 'create it with PARTITIONS=1 in the WITH clause',
      });
    }
    const limits = cleanup === 'delete' ? retentionOf(retention, defaults) : {};
    topics.create({ name, partitions: count, cleanup, ...limits });
    return count;
  }
  if (partitions !== null && partitions !== there.partitions) {
    throw new AppError(
      'invalid-statement',
      `A Kafka topic with the name '${name}' already exists, with different partition/replica configuration than required. KSQL expects ${partitions} partitions (topic has ${there.partitions})`,
      { hint: `leave PARTITIONS out, or name another topic: WITH (KAFKA_TOPIC=...)` },
    );
  }
  const settings = topics.find(name) ?? seen?.settings;
  if (settings) assertSameRetention(name, retention, settings);
  if (topics.find(name) === undefined) topics.adopt(name, seen!);
  return there.partitions;
}

/** What a statement says of a topic that is there changes nothing of it. */
export function assertSameRetention(name: string, { ms, bytes }: AskedRetention, has: TopicRetention): void {
  const check = (asked: number | null, limit: number | undefined, word: string): void => {
    if (asked === null || asked === (limit ?? -1)) return;
    throw new AppError(
      'invalid-statement',
      `A Kafka topic with the name '${name}' already exists, with different retention than required. KSQL expects ${asked} ${word} (topic has ${printLimit(limit)})`,
      { hint: `leave it out, and alter the topic: writethrough topics alter ${name}` },
    );
  };
  check(ms, has.retentionMs, 'retention');
  check(bytes, has.retentionBytes, 'retention bytes');
}
