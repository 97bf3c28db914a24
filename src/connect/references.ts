// `${env:NAME}` and `${file:NAME}` in connector properties: stored as they are written, resolved each time a connector starts, so that a
// secret lies in one place. Files are read from one folder only.
import { readFileSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { AppError } from '../core/errors.js';
import type { ConnectorConfig } from './connect-facade.js';

export function resolveReferences(
  config: ConnectorConfig,
  secretsFolder: string,
  env: NodeJS.ProcessEnv,
): ConnectorConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === 'string' ? resolveText(value, key, secretsFolder, env) : value,
    ]),
  );
}

function resolveText(text: string, key: string, folder: string, env: NodeJS.ProcessEnv): string {
  return text.replaceAll(/\$\{(env|file):([^}]+)\}/g, (_whole, kind: string, name: string) => {
    if (kind === 'env') {
      const value = env[name];
      if (value === undefined) throw missing(key, `the environment has no ${name}`);
      return value;
    }
    const path = resolve(folder, name);
    if (!path.startsWith(resolve(folder) + sep))
      throw missing(key, `${name} lies outside the secrets folder ${folder}`);
    try {
      return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    } catch (cause) {
      throw missing(key, `cannot read ${path}`, cause);
    }
  });
}

function missing(key: string, why: string, cause?: unknown): AppError {
  return new AppError('bad-connector-config', `${key}: ${why}`, { place: { path: key }, cause });
}
