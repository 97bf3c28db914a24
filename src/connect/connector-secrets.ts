// What must not be seen in answers and logs: values behind `${env:}` and `${file:}`, whichever property they stand in, and the
// values of properties that are secrets by name or have one in them. A text that holds one shows the reference, or stars, in its place.
import { AppError, stackOf } from '../core/errors.js';
import { hiding, isSecretName, mask, maskText, secretsIn } from '../core/secrets.js';
import type { ConnectorConfig } from './connect-facade.js';

const reference = /\$\{(?:env|file):[^}]*\}/g;
const wholeReference = /^\$\{(?:env|file):[^}]*\}$/;

/** The configuration as it may be shown: secrets masked. References are no secrets. */
export function maskSecrets(config: ConnectorConfig): ConnectorConfig {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, maskValue(key, value)]));
}

export function maskValue(property: string, value: string): string {
  if (typeof value !== 'string' || value === '' || wholeReference.test(value)) return value;
  return isSecretName(property) ? mask : maskText(value);
}

/** What decides where a secret is sent. */
const addressNames = [
  'connector.class',
  'database.hostname',
  'database.port',
  'connection.url',
  'connection.host',
  'connection.port',
];

/**
 * A configuration that was read masked and is sent back keeps the secrets that it did not see; not for another address, where whoever may
 * not see them could read them.
 */
export function unmaskSecrets(config: ConnectorConfig, earlier: ConnectorConfig | undefined): ConnectorConfig {
  if (earlier === undefined) return config;
  const moved = addressNames.find(
    (name) => config[name] !== earlier[name] && !isMasked(name, config[name], earlier[name]),
  );
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (!isMasked(key, value, earlier[key])) return [key, value];
      if (moved === undefined) return [key, earlier[key]!];
      throw new AppError('bad-connector-config', `${key}: it is kept for the address that it was given for`, {
        detail: `${moved} is another one`,
        hint: 'give it again, or name it by ${env:NAME} or ${file:NAME}',
        place: { path: key },
      });
    }),
  );
}

function isMasked(key: string, value: string | undefined, before: string | undefined): boolean {
  return typeof value === 'string' && value.includes(mask) && before !== undefined && value === maskValue(key, before);
}

export type Redact = (text: string) => string;

/** `resolve` gives the value of a configuration's references; one that has none hides nothing. */
export function createRedact(config: ConnectorConfig, resolve: (config: ConnectorConfig) => ConnectorConfig): Redact {
  const shownAs = new Map<string, string>();
  for (const [key, value] of Object.entries(config)) {
    if (typeof value !== 'string') continue;
    for (const secret of isSecretName(key) ? [value] : secretsIn(value)) shownAs.set(secret, mask);
    for (const [found] of value.matchAll(reference)) shownAs.set(valueOf(found, resolve), found);
  }
  return hiding(shownAs);
}

function valueOf(found: string, resolve: (config: ConnectorConfig) => ConnectorConfig): string {
  try {
    return resolve({ found })['found']!;
  } catch {
    return ''; // it has no value that could be seen; whoever resolves the whole configuration says so
  }
}

export function redactError(error: AppError, redact: Redact): AppError {
  const { code, message, detail, hint, retriable, place, cause } = error;
  const shown = (text: string | undefined) => (text === undefined ? undefined : redact(text));
  const options = { detail: shown(detail), hint: shown(hint), retriable, place };
  if (code !== 'internal') return new AppError(code, redact(message), { ...options, cause });
  // A bug is logged with where it was thrown, and what it comes from, whose texts are not ours.
  return Object.assign(new AppError(code, redact(message), options), { stack: redact(stackOf(error)) });
}
