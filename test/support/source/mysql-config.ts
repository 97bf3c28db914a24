// The configuration of a MySQL source over one database of a test server, as connect gives it to the source, and what configurations of
// connectors say of their server.
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

/** What a connector's configuration says of a server, by the URL of that or of a database on it. */
export function connectionOf(url: string): Record<string, string> {
  const { hostname, port, username, password } = new URL(url);
  return {
    'database.hostname': hostname,
    'database.port': port,
    'database.user': decodeURIComponent(username),
    'database.password': decodeURIComponent(password),
  };
}

export const debeziumClasses = {
  mysql: 'io.debezium.connector.mysql.MySqlConnector',
  mariadb: 'io.debezium.connector.mariadb.MariaDbConnector',
} as const;
