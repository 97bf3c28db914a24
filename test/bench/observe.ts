// Looking at the program under test from outside: counts by its HTTP API, memory and processor time by its metrics.
import { setTimeout as sleep } from 'node:timers/promises';
import { request, requestJson } from '../support/harness/http-client.js';

interface TopicList {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly { readonly end: string }[] }[];
}

/** Records in the topics of the table `live`; 0 while the program does not answer. */
export async function recordCount(url: string): Promise<number> {
  try {
    const { topics } = await requestJson<TopicList>(`${url}/v1/topics`);
    const own = topics.filter(({ name }) => name.endsWith('.live'));
    return own.flatMap(({ partitions }) => partitions).reduce((sum, { end }) => sum + Number(end), 0);
  } catch {
    return 0; // not listening, or still starting
  }
}

/** Records that the engine has applied since the process began; 0 while the program does not answer. */
export async function appliedCount(url: string): Promise<number> {
  try {
    const { text } = await request(`${url}/metrics`);
    return Number(/^writethrough_engine_records_total (\S+)$/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0; // as above
  }
}

/** Rows of the table `live` that a reader sees, undefined while there is no answer or no such table. */
export async function rowCount(url: string): Promise<number | undefined> {
  try {
    const { tables } = await requestJson<{
      readonly tables: readonly { readonly name: string; readonly rowCount: number; readonly visible: boolean }[];
    }>(`${url}/v1/tables`);
    const found = tables.find(({ name }) => name === 'live');
    return found?.visible === true ? found.rowCount : undefined;
  } catch {
    return undefined; // as above
  }
}

export async function hasRow(url: string, id: number): Promise<boolean> {
  try {
    return (await request(`${url}/v1/tables/live/rows/${id}`)).status === 200;
  } catch {
    return false; // as above
  }
}

export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  everyMs = 20,
  forMs = 600_000,
): Promise<T> {
  const deadline = performance.now() + forMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${forMs / 1000} s in vain for ${what}`);
    await sleep(everyMs);
  }
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

export async function usage(url: string): Promise<Usage> {
  const { text } = await request(`${url}/metrics`);
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return { cpuSeconds: value('process_cpu_seconds_total'), rssMb: value('process_resident_memory_bytes') / 2 ** 20 };
}
