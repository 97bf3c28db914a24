// What must not be seen in answers and logs: values behind `${env:}` and `${file:}`, whichever property they stand in, and the
// values of properties that are secrets by name. A text that holds one shows the reference, or stars, in its place.
import { AppError } from '../core/errors.js';
import type { ConnectorConfig } from './connect-facade.js';

const secretName = /password|secret|credential|jaas|token|user\.info/i;
const reference = /\$\{(?:env|file):[^}]*\}/g;
const wholeReference = /^\$\{(?:env|file):[^}]*\}$/;
export const mask = '****';

/** Shorter ones stand in too many words by chance, and keep nothing secret. */
const secretLengthMin = 3;

export function isSecret(property: string): boolean {
  return secretName.test(property);
}

/** The configuration as it may be shown: secrets masked. References are no secrets. */
export function maskSecrets(config: ConnectorConfig): ConnectorConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      isSecret(key) && value !== '' && !wholeReference.test(value) ? mask : value,
    ]),
  );
}

/** A configuration that was read masked and is sent back keeps the secrets that it did not see. */
export function unmaskSecrets(config: ConnectorConfig, earlier: ConnectorConfig | undefined): ConnectorConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      value === mask && isSecret(key) ? (earlier?.[key] ?? value) : value,
    ]),
  );
}

export type Redact = (text: string) => string;

/** `resolve` gives the value of a configuration's references; one that has none hides nothing. */
export function createRedact(config: ConnectorConfig, resolve: (config: ConnectorConfig) => ConnectorConfig): Redact {
  const shownAs = new Map<string, string>();
  for (const [key, value] of Object.entries(config)) {
    if (typeof value !== 'string') continue;
    if (isSecret(key)) shownAs.set(value, mask);
    for (const [found] of value.matchAll(reference)) shownAs.set(valueOf(found, resolve), found);
  }
  const pairs = [...shownAs]
    .filter(([value]) => value.length >= secretLengthMin)
    .toSorted(([a], [b]) => b.length - a.length);
  return (text) => pairs.reduce((shown, [value, as]) => shown.replaceAll(value, () => as), text);
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
  return new AppError(code, redact(message), { detail: shown(detail), hint: shown(hint), retriable, place, cause });
}
