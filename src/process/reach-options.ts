// What connectors may reach, of the options of the process.
import { join, resolve } from 'node:path';
import type { Config } from '../config.js';
import type { ReachOptions } from '../connect/reach.js';

export function reachOf(config: Pick<Config, 'data' | 'secrets.env' | 'sources.allowed'>): ReachOptions {
  const folder = resolve(config.data);
  return {
    env: process.env,
    envAllowed: config['secrets.env'],
    secretsFolder: join(folder, 'secrets'),
    sourcesAllowed: config['sources.allowed'],
    ownFiles: ['', '-wal', '-shm'].map((end) => join(folder, `writethrough.db${end}`)),
  };
}
