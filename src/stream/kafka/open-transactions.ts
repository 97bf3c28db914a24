// What dead producers have left open. Nobody sees the commit topic beyond an undecided record, and the brokers decide it only after the
// transaction's time-out (for a long append a quarter of an hour), or when its producer is opened again, which a connector is once its
// engine is: so the engine that begins to lead would wait for itself. It begins a new epoch for each instead, which aborts what is open.
// A producer that lives after all is fenced by that once, finds its own session in the commit topic, and sends again.
import type { Logger } from '../../core/logger.js';
import type { BrokerLink } from './broker-link.js';
import type { CommitTopic } from './commit-topic.js';
import { transactionalIdOf } from './producer-loop.js';
import type { TopicDirectory } from './topic-directory.js';
import { Transactions } from './transaction.js';

export async function endOpenTransactions(
  serviceId: string,
  parts: {
    readonly commits: CommitTopic;
    readonly link: BrokerLink;
    readonly directory: TopicDirectory;
    readonly logger: Logger;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { commits, link, logger } = parts;
  for (const producer of await commits.undecided(link)) {
    logger.info('a transaction that a producer has left open is ended', { producer });
    await Transactions.begin(transactionalIdOf(serviceId, producer), parts);
  }
}
