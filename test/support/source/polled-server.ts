// A database of a test server that is polled.
import { silentLogger } from '../../../src/core/logger.js';
import { createPollingSource } from '../../../src/source/polling/polling-source.js';
import type { SourceConnector } from '../../../src/source/source-connector.js';
import { createDatabase, createUser, runStatements, type SqlAddress } from '../servers/sql-client.js';

type Config = Readonly<Record<string, string>>;

export interface PolledDatabase {
  readonly name: string;
  /** What a connector's configuration says of it, for a user who may only SELECT. */
  readonly connection: Config;
  /** As who the server's address names. */
  run(...statements: readonly string[]): Promise<void>;
  /** Polls as that user; three rows are a page. */
  source(config: Config): SourceConnector;
  drop(): Promise<void>;
}

export async function createPolledDatabase(server: SqlAddress, prefix: string): Promise<PolledDatabase> {
  const database = await createDatabase(server, prefix);
  const { name } = database;
  const { user, password } = await createUser(server, { grants: [`SELECT ON ${name}.*`] });
  const url = `jdbc:${server.product}://${server.host}:${server.port}/${name}`;
  const connection = { 'connection.url': url, 'connection.user': user, 'connection.password': password };
  const run = (...statements: readonly string[]) => runStatements(server, name, statements);
  return {
    name,
    connection,
    run,
    source: (config) =>
      createPollingSource(
        {
          name: 'poll',
          ...connection,
          'connection.url': `${url}?useSSL=false`,
          'poll.interval.ms': '50',
          'batch.max.rows': '3',
          'topic.prefix': 'polled',
          ...config,
        },
        silentLogger,
      ),
    drop: async () => {
      await run(`DROP USER ${user}`);
      await database.drop();
    },
  };
}
