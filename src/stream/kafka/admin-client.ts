// kafkajs's admin client, connected only while somebody uses it: a connection of kafkajs that watches for time-outs wakes the
// process up ten times a second, and topics are made rarely.
import type { Admin, SASLOptions } from 'kafkajs';
import type { Logger } from '../../core/logger.js';
import { hangUp, kafkaJsLogs } from './broker-link.js';
import { kafkaDeadlines, type KafkaAddress } from './kafka-url.js';
import { createAdmin, type KafkaJsCluster } from './kafkajs-inside.js';
import { abortError } from './stopping.js';

export interface AdminOptions extends KafkaAddress {
  readonly clientId: string;
  readonly logger: Logger;
}

interface Session {
  readonly admin: Admin;
  readonly cluster: KafkaJsCluster;
  readonly connected: Promise<void>;
  users: number;
}

export class AdminClient {
  readonly #options: AdminOptions;
  #session: Session | undefined;
  #closed = false;

  constructor(options: AdminOptions) {
    this.#options = options;
  }

  async use<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.#closed) throw abortError();
    const session = (this.#session ??= this.#connect());
    session.users++;
    try {
      await session.connected;
      return await work(session.admin);
    } finally {
      session.users--;
      if (session.users === 0) {
        if (this.#session === session) this.#session = undefined;
        session.admin.disconnect().catch((error: unknown) => {
          this.#options.logger.debug('closing a connection to Kafka', { cause: String(error) });
        });
      }
    }
  }

  /** Calls under way reject. */
  close(): void {
    this.#closed = true;
    if (this.#session) hangUp(this.#session.cluster, abortError());
  }

  #connect(): Session {
    const { brokers, ssl, sasl, clientId, logger, deadlines = kafkaDeadlines } = this.#options;
    const { admin, cluster } = createAdmin(
      {
        brokers: [...brokers],
        clientId,
        ssl,
        sasl: sasl as SASLOptions | undefined,
        connectionTimeout: deadlines.connect,
        authenticationTimeout: deadlines.request,
        requestTimeout: deadlines.request,
      },
      kafkaJsLogs(logger),
    );
    return { admin, cluster, connected: admin.connect(), users: 0 };
  }
}
