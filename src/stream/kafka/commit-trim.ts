// Trimming the commit topic. A commit record is of use to whoever has not applied it, so none may go by age alone:
// - the leader writes an append `log-start` now and then. Everybody who has applied it can read the log from there on; older ones cannot.
// - a while later (`commits.retention.ms`) it deletes the records in front of the newest `log-start` that is old enough. The topic then
//   begins with that record, which says which log this is, as the header did.
// - what somebody needs of the records before is carried over first: the position of the derived records is written again behind the
//   `log-start` (the outbox sees to it); all other positions stand in the store of whoever has applied it.
// What is given up: a process whose frontier lies before gets too-old, also one with an empty folder; it needs a copy of a folder that is
// further on. Tables are rebuilt from tables as before, but nothing by replaying topics from their beginning. So nothing is trimmed
// unless somebody asks for it.
import type { BrokerLink } from './broker-link.js';
import type { CommitTopic } from './commit-topic.js';
import { KafkaProtocolError } from './kafka-errors.js';
import { deleteRecordsRequest } from './requests.js';
import type { TopicDirectory } from './topic-directory.js';

/** For the replicas to follow. */
const timeoutMs = 10_000;

/** Idempotent. */
export async function trimCommits(
  link: BrokerLink,
  directory: TopicDirectory,
  commits: CommitTopic,
  offset: number,
): Promise<void> {
  const leader = await directory.leader(commits.name, 0);
  const errorCode = await link.send(
    await link.broker(leader),
    deleteRecordsRequest(commits.name, 0, offset, timeoutMs),
  );
  if (errorCode !== 0) throw new KafkaProtocolError(errorCode, `topic "${commits.name}"`, commits.name);
  commits.trimmedTo(offset);
}
