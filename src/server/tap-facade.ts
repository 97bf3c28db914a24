// What the server asks of the log for taps: which topics there are, and records of one partition as they lie in it. For
// people looking in; nothing in the engine reads this way.

export interface TopicSummary {
  readonly name: string;
  readonly partitions: readonly {
    readonly partition: number;
    /** Offsets as text: they are 64-bit. `start` is the oldest record still there, `end` one past the newest. */
    readonly start: string;
    readonly end: string;
  }[];
  /** `compact`, `delete`, or both with a comma. */
  readonly cleanupPolicy: string;
  /** As Kafka writes it: -1 is without limit. */
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

export interface TapRequest {
  readonly topic: string;
  readonly partition: number;
  /** First offset wanted; undefined: from the oldest. A negative number counts from the end: -10 = the newest ten. */
  readonly offset: bigint | undefined;
  readonly limit: number;
}

/** Bytes as they can be shown: text when they are valid UTF-8, else base64. */
export interface TapBytes {
  readonly encoding: 'utf8' | 'base64';
  readonly text: string;
}

export interface TapRecord {
  readonly offset: string;
  /** ms since the epoch */
  readonly timestamp: number;
  readonly key: TapBytes | null;
  /** null: a tombstone */
  readonly value: TapBytes | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TapPage {
  readonly records: readonly TapRecord[];
  /** Where to go on; equals the end offset when the page reached it. */
  readonly nextOffset: string;
  readonly endOffset: string;
}

export interface TapFacade {
  topics(): Promise<readonly TopicSummary[]>;
  /** A page of bounded size, which may hold fewer than were asked for. Rejects unknown-topic, bad-request for a partition that does not exist. */
  records(request: TapRequest): Promise<TapPage>;
}
