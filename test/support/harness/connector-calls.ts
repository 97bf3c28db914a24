// Kafka Connect's calls about one connector named c, and waiting for what they come to. Tables have a number `id` and a text `v`.
import type { ConnectorOffset, ConnectorStatus } from '../../../src/connect/connect-facade.js';
import type { App } from './app-process.js';
import { request, requestJson } from './http-client.js';
import { waitFor } from './wait-for.js';

export function connectorCalls(app: Pick<App, 'url'>) {
  const path = `${app.url}/connectors/c`;
  const call = async (method: string, tail: string, body?: object) => {
    const { status, text } = await request(`${path}${tail}`, body === undefined ? { method } : { method, body });
    return { status, body: (text === '' ? {} : JSON.parse(text)) as { message?: string; error_code?: number } };
  };
  const offsets = async () => (await requestJson<{ offsets: ConnectorOffset[] }>(`${path}/offsets`)).offsets;
  const status = () => requestJson<ConnectorStatus>(`${path}/status`);
  return {
    call,
    offsets,
    status,
    /** Nothing is read again, and all is current. */
    settled: () =>
      waitFor('nothing to be read again', async () => {
        const { source, lagMs } = await status();
        return source.phase === 'streaming' && source.snapshot === undefined && lagMs === 0;
      }),
    put: (config: object) => requestJson(`${path}/config`, { method: 'PUT', body: config }),
    set: (offset: object | null, partition: object = { server: 'p' }) =>
      call('PATCH', '/offsets', { offsets: [{ partition, offset }] }),
    serves: (table: string, expected: readonly string[]) =>
      waitFor(`${table} to have ${expected.join()}`, async () => {
        const { status, text } = await request(`${app.url}/v1/tables/${table}/rows`);
        if (status !== 200) return false;
        const { rows } = JSON.parse(text) as { rows: { id: number; v: string }[] };
        return rows.map(({ id, v }) => `${id}${v}`).join() === expected.join();
      }),
  };
}
