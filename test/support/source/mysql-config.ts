// The configuration of a MySQL source over one database of a test server, as connect gives it to the source.
import type { SourceConfig } from '../../../src/source/source-connector.js';
import type { SqlAddress } from '../servers/sql-client.js';

export function mysqlConfig(
  server: Pick<SqlAddress, 'host' | 'port' | 'user' | 'password'>,
  database: string,
  more: SourceConfig = {},
): SourceConfig {
  return {
    name: 'test',
    'database.hostname': server.host,
    'database.port': String(server.port),
    'database.user': server.user,
    'database.password': server.password,
    'database.include.list': database,
    ...more,
  };
}
