// A process of the bench: the plain way from a binlog to many listeners. zongji decodes, each inserted row is printed once as JSON and
// written to every open response as a server-sent event. No log, no table, no resumption.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { followByZongji, type BinlogPlace } from './baselines.js';
import type { LiveDatabase } from './live-table.js';

const { database, from } = JSON.parse(process.argv[2]!) as {
  readonly database: Pick<LiveDatabase, 'address' | 'name'>;
  readonly from: BinlogPlace;
};
const listeners = new Set<ServerResponse>();
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  listeners.add(response);
  response.on('close', () => listeners.delete(response));
});

function start(): Promise<void> {
  return followByZongji(
    database,
    from,
    (_type, row) => {
      const text = `data: {"after":${JSON.stringify({ ...row, id: String(row.id) })}}\n\n`;
      for (const response of listeners) response.write(text);
      return false;
    },
    () => server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port)),
  );
}

await start();
