// The servers of one run: each started when first asked for and shared by everybody who asks again. What the
// environment names is used as it is and never stopped.
import { kafkaAddressFromList, startKafka, type KafkaAddress, type KafkaOptions, type KafkaServer } from './kafka.js';
import { startMariadb } from './mariadb.js';
import { startMysql } from './mysql.js';
import { sqlAddressFromUrl, type SqlAddress, type SqlProduct } from './sql-client.js';
import type { SqlServer } from './sql-server.js';

export interface ServerAddresses {
  mysql: SqlAddress;
  mariadb: SqlAddress;
  kafka: KafkaAddress;
}

export type ServerName = keyof ServerAddresses;

export const SERVER_NAMES: readonly ServerName[] = ['mysql', 'mariadb', 'kafka'];

export interface ServerPool {
  get<N extends ServerName>(name: N): Promise<ServerAddresses[N]>;
  close(): Promise<void>;
}

export function openServerPool(options: { readonly kafka?: KafkaOptions } = {}): ServerPool {
  const owned: Promise<{ close(): Promise<void> } | undefined>[] = [];
  const addresses: { [N in ServerName]?: Promise<ServerAddresses[N]> } = {};

  function own<S extends SqlServer | KafkaServer>(server: Promise<S>): Promise<S> {
    owned.push(server.catch(() => undefined));
    return server;
  }

  const open: { [N in ServerName]: () => Promise<ServerAddresses[N]> } = {
    mysql: () => sqlServer('mysql', 'TEST_MYSQL_URL', startMysql),
    mariadb: () => sqlServer('mariadb', 'TEST_MARIADB_URL', startMariadb),
    kafka: async () => {
      const list = process.env['TEST_KAFKA_BROKERS'];
      if (list) return kafkaAddressFromList(list);
      const { brokers, version } = await own(startKafka(options.kafka));
      return { brokers, version };
    },
  };

  async function sqlServer(
    product: SqlProduct,
    variable: string,
    start: () => Promise<SqlServer>,
  ): Promise<SqlAddress> {
    const given = process.env[variable];
    if (given) return sqlAddressFromUrl(product, given);
    const { url, host, port, user, password, version } = await own(start());
    return { product, url, host, port, user, password, version };
  }

  return {
    get: <N extends ServerName>(name: N): Promise<ServerAddresses[N]> => {
      const known: Promise<ServerAddresses[N]> | undefined = addresses[name];
      if (known !== undefined) return known;
      const address: Promise<ServerAddresses[N]> = open[name]();
      addresses[name] = address as (typeof addresses)[N];
      return address;
    },
    close: async () => {
      await Promise.all(owned.map(async (server) => (await server)?.close()));
    },
  };
}
