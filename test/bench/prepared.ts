// Data folders that a benchmark starts from: made once by the program itself, then copied for each run, so that every run does the
// same work and none sees the files of the one before.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp, type App } from '../support/harness/app-process.js';
import { requestJson } from '../support/harness/http-client.js';
import type { LiveDatabase } from './live-table.js';
import { recordCount, rowCount, until } from './observe.js';

export interface Prepared {
  /** A program over a copy of the folder, not started yet. */
  open(): Promise<App>;
  close(): void;
}

/** `topicsOnly`: the connector writes topics only. `rows`: so many have to be there. `stream`: another log than the embedded one. */
export async function prepare(
  database: LiveDatabase,
  options: { readonly topicsOnly?: boolean; readonly rows?: number; readonly stream?: string | undefined } = {},
): Promise<Prepared> {
  const rows = options.rows ?? 0;
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-bench-'));
  const stream = options.stream === undefined ? [] : ['--stream', options.stream];
  const args = [...stream, ...(options.topicsOnly === true ? [] : ['--source', database.url])];
  const app = await openApp({ args });
  try {
    await app.start();
    if (options.topicsOnly === true) {
      await createTopicsConnector(app.url, database);
      await until(
        'the stream of changes',
        async () => (await isStreaming(app.url)) && (await recordCount(app.url)) >= rows,
      );
    } else {
      await until('the table', async () => ((await rowCount(app.url)) ?? -1) >= rows);
      await until('the stream of changes', () => isStreaming(app.url));
    }
    await app.stop();
    cpSync(app.dataDir, folder, { recursive: true });
  } finally {
    await app.close();
  }
  return {
    open: async () => {
      const copy = await openApp({ args });
      cpSync(folder, copy.dataDir, { recursive: true });
      return copy;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The connector of `--source`, with topics only. */
async function createTopicsConnector(url: string, database: LiveDatabase): Promise<void> {
  const { host, port, user, password } = database.address;
  const body = {
    'connector.class': 'MySqlCdcSource',
    'database.hostname': host,
    'database.port': String(port),
    'database.user': user,
    'database.password': password,
    'database.include.list': database.name,
    'topic.prefix': 'bench',
    'output.data.format': 'JSON',
    'output.key.format': 'JSON',
    'output.shape': 'flat',
    'output.key.shape': 'bare',
    'table.create': 'false',
  };
  await requestJson(`${url}/connectors/bench/config`, { method: 'PUT', body });
}

interface Status {
  readonly connectors: readonly { readonly source: { readonly phase: string }; readonly position: string | null }[];
}

async function isStreaming(url: string): Promise<boolean> {
  const { connectors } = await requestJson<Status>(`${url}/v1/status`);
  return connectors.some(({ source, position }) => source.phase === 'streaming' && position !== null);
}
