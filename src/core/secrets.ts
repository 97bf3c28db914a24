// What is secret, in one place for everything that prints: which settings are secrets by their name, which parts of a text are (the
// password of a URL, a parameter of one that is a secret by its name), and the secrets that this process was started with, which no log
// line, error or answer shows. Each connector hides its own besides (connect/connector-secrets.ts).
import { AppError } from './errors.js';

export const mask = '****';
const secretName =
  /password|passwd|passphrase|secret|credential|jaas|token|user\.info|private\.?key|keystore\.key|^pwd$/i;

export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** Up to the last @ behind the user: a password may hold anything. */
const userInfo = /(:\/\/[^:@/?#\s]*:)(.*)(?=@)/s;
/** `name=value` behind what parts parameters in URLs, in those of JDBC too. */
const parameter = /([?&;(,]\s*)([^=?&;(),\s]+)(=)([^&;),\s]*)/g;

/** A setting as it may be shown. */
export function maskText(text: string): string {
  return text
    .replace(userInfo, (_, head: string) => head + mask)
    .replaceAll(parameter, (whole, head: string, name: string, is: string, value: string) =>
      value !== '' && isSecretName(decoded(name)) ? head + name + is + mask : whole,
    );
}

/** The secrets in a setting that is none itself, as they are written and as they are meant. */
export function secretsIn(text: string): string[] {
  const found = [userInfo.exec(text)?.[2], ...parametersOf(text)].filter(
    (value) => value !== undefined && value !== '',
  );
  return [...new Set(found.flatMap((value) => [value!, decoded(value!)]))];
}

function parametersOf(text: string): string[] {
  return [...text.matchAll(parameter)]
    .filter(([, , name]) => isSecretName(decoded(name!)))
    .map(([, , , , value]) => value!);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // it is no part of a URL, or one that is written wrong: then it is meant as it stands
  }
}

/** Shorter ones stand in too many words by chance, and keep nothing secret. */
export const secretLengthMin = 3;
/** Of those that are not longer than words are, only whole words are hidden. */
const wordLengthMax = 8;

/** Shows each secret as what is given for it, the longest first. */
export function hiding(secrets: Iterable<readonly [secret: string, shownAs: string]>): (text: string) => string {
  const all = [...secrets]
    .filter(([secret]) => secret.length >= secretLengthMin)
    .toSorted(([a], [b]) => b.length - a.length);
  return (text) => all.reduce((shown, [secret, as]) => shown.replaceAll(secret, () => as), text);
}

const own = new Map<string, RegExp | string>();

/** Secrets of the process itself: from its flags, environment and file. */
export function keepSecrets(settings: Iterable<string | undefined>): void {
  for (const secret of [...settings].flatMap((setting) => (setting === undefined ? [] : secretsIn(setting)))) {
    if (secret.length < secretLengthMin) continue;
    const isWord = secret.length <= wordLengthMax && /^\w+$/.test(secret);
    own.set(secret, isWord ? new RegExp(`(?<![\\w])${secret}(?![\\w])`, 'g') : secret);
  }
}

export function hideSecrets(text: string): string {
  if (own.size === 0) return text;
  let shown = text;
  for (const secret of own.values()) shown = shown.replaceAll(secret, mask);
  return shown;
}

/** The same for what is logged: texts in it at any depth. */
export function hideInFields(value: unknown): unknown {
  if (own.size === 0) return value;
  if (typeof value === 'string') return hideSecrets(value);
  if (Array.isArray(value)) return value.map(hideInFields);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return hideInFields(shownError(value));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hideInFields(each)]));
}

/** An error in a log line: what it says, where it was thrown, and what it comes from. */
export function shownError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return {
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(cause === undefined || depth >= causesMax ? {} : { cause: shownError(cause, depth + 1) }),
  };
}

const causesMax = 5;

export function hideInError(error: AppError): AppError {
  if (own.size === 0) return error;
  const { code, message, detail, hint, retriable, place, leader, subject, cause } = error;
  const shown = (text: string | undefined) => (text === undefined ? undefined : hideSecrets(text));
  const options = { detail: shown(detail), hint: shown(hint), retriable, place, leader, subject, cause };
  return new AppError(code, hideSecrets(message), options);
}
