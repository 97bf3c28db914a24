import type { RowDataPacket } from 'mysql2/promise';
import { waitFor } from '../harness/wait-for.js';
import { withConnection, type SqlAddress } from './sql-client.js';

/** All files but the newest go. A server keeps a file back, without an error, while a reader or a checkpoint still needs it. */
export async function purgeBinlogs(address: Pick<SqlAddress, 'host' | 'port' | 'user' | 'password'>): Promise<void> {
  await withConnection(address, (connection) =>
    waitFor(
      'the server to let its older binlog files go',
      async () => {
        const [logs] = await connection.query<RowDataPacket[]>('SHOW BINARY LOGS');
        if (logs.length === 1) return true;
        await connection.query(`PURGE BINARY LOGS TO '${String(logs.at(-1)!['Log_name'])}'`);
        return false;
      },
      { intervalMs: 50, timeoutMs: 20_000 },
    ),
  );
}
