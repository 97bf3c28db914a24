// What the server asks about the settings of topics. Names and values are Kafka's, so that what people know of it holds here.

export interface TopicSetting {
  readonly name: 'cleanup.policy' | 'retention.ms' | 'retention.bytes';
  /** -1: without limit. */
  readonly value: string;
  /** It has the value that the process gives to new topics where nobody says anything. */
  readonly isDefault: boolean;
  /** It is decided when the topic is made. */
  readonly isReadOnly: boolean;
}

/** Null: back to the default. */
export type SettingChanges = Readonly<Record<string, string | null>>;

export interface TopicsFacade {
  /** Rejects unknown-topic. */
  settings(topic: string): Promise<readonly TopicSetting[]>;
  /** All of them or none; resolves when they have effect. Rejects unknown-topic, bad-topic-setting. */
  alter(topic: string, changes: SettingChanges): Promise<void>;
}
