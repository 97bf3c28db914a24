// HTTP load by wrk, one thread and 32 connections: a client written in Node would be the bottleneck.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, which } from '../support/servers/command.js';

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function wrkPath(): string {
  const path = which('wrk');
  if (path === undefined) throw new Error('wrk is missing: this benchmark needs it (on Debian: apt-get install wrk)');
  return path;
}

/** GET of the prefix and a random number from 1 to `keys`. */
export async function load(url: string, prefix: string, keys: number, seconds: number): Promise<Load> {
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-wrk-'));
  const script = join(folder, 'key.lua');
  writeFileSync(
    script,
    `function init() math.randomseed(os.time()) end
     function request() return wrk.format("GET", "${prefix}" .. math.random(1, ${keys})) end
     function done(summary, latency)
       local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
       io.write(string.format('{"requests":%d,"us":%d,"p50":%d,"p99":%d,"bad":%d}\\n',
         summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), bad))
     end`,
  );
  try {
    const text = await run(wrkPath(), ['-t1', '-c32', `-d${seconds}s`, '-s', script, url]);
    const last = text.trim().split('\n').at(-1)!;
    const result = JSON.parse(last) as Record<'requests' | 'us' | 'p50' | 'p99' | 'bad', number>;
    if (result.bad > 0) throw new Error(`${result.bad} of ${result.requests} requests to ${url} failed`);
    return { perSecond: (result.requests / result.us) * 1e6, p50Ms: result.p50 / 1000, p99Ms: result.p99 / 1000 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
