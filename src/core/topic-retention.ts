// How long a topic keeps its records: Kafka's two settings, as somebody asks for them and as they hold. They concern topics whose cleanup
// is `delete`; a compacted one keeps the last record of every key for as long as it lives.

/** As Kafka writes it: -1 is without limit. Null: nothing is said of it. */
export interface AskedRetention {
  readonly ms: number | null;
  /** Kafka: of each partition, as Kafka means it; embedded log: of the whole topic. */
  readonly bytes: number | null;
}

/** As it holds; undefined: without limit. */
export interface TopicRetention {
  readonly retentionMs?: number | undefined;
  readonly retentionBytes?: number | undefined;
}

export const nothingAsked: AskedRetention = { ms: null, bytes: null };

/** What was asked for, and where nothing was said the default. */
export function retentionOf(asked: AskedRetention, defaults: AskedRetention): TopicRetention {
  return { retentionMs: limitOf(asked.ms ?? defaults.ms), retentionBytes: limitOf(asked.bytes ?? defaults.bytes) };
}

function limitOf(asked: number | null): number | undefined {
  return asked === null || asked < 0 ? undefined : asked;
}

/** As Kafka writes it. */
export function printLimit(limit: number | undefined): string {
  return String(limit ?? -1);
}
