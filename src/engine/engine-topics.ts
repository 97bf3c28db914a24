// Topics as the engine has them: definitions make and delete them in its transaction, and what writes to one waits until it is there.
import type { Definition, DefinitionResult } from '../projector/definition.js';
import type { DefinedTopics, SeenTopic } from '../projector/defined-topics.js';
import type { TopicDescription } from '../stream/event-log.js';

export interface EngineTopics extends DefinedTopics {
  /** Others can make topics too, so who appends a definition says what he sees of one that `find` does not know. */
  readonly shared: boolean;
  see(name: string): Promise<SeenTopic | undefined>;
  /**
   * Resolves when the topic stands as the definitions want it: made, or gone. Rejects with what is in the way (log-unreachable where it
   * only takes long); it is tried again nevertheless.
   */
  ready(name: string): Promise<void>;
  /** `made`: it was there, so if it is not now, somebody else has deleted it. Undefined: not wanted. */
  stateOf(name: string): 'making' | 'made' | undefined;
  /**
   * All topics of the log as the definitions say it: with those (empty) that are still to be made, without those that are still to be
   * deleted. A client sees a table and its topic come and go together.
   */
  shown(): Promise<readonly TopicDescription[]>;
  /** This process may write: from the head of the log on, as it was at the start, it makes the brokers follow. */
  start(keeper: TopicKeeper): void;
}

export interface TopicKeeper {
  readonly headSeq: number;
  readonly append: (definition: Definition) => Promise<DefinitionResult>;
}
