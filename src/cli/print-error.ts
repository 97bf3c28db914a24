// How an error looks on the terminal: `code: message`, then place, detail and hint on lines of their own.
import { stackOf, type AppError, type ErrorPlace } from '../core/errors.js';
import { hideInError, hideSecrets } from '../core/secrets.js';

export function errorText(given: AppError): string {
  const error = hideInError(given);
  const lines = [`${error.code}: ${error.message}`];
  const place = placeText(error.place);
  if (place !== '') lines.push(`  at ${place}`);
  if (error.detail !== undefined) lines.push(...error.detail.split('\n').map((line) => `  ${line}`));
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`);
  if (error.code === 'internal')
    lines.push(
      ...hideSecrets(stackOf(given))
        .split('\n')
        .map((line) => `  ${line}`),
    );
  return lines.join('\n') + '\n';
}

export function errorJson(given: AppError): string {
  const { code, message, detail, hint, place } = hideInError(given);
  const stack = code === 'internal' ? hideSecrets(stackOf(given)) : undefined;
  return JSON.stringify({ error: { code, message, detail, hint, place, stack } }) + '\n';
}

function placeText(place: ErrorPlace | undefined): string {
  if (place === undefined) return '';
  const { file, line, column, path } = place;
  return [path, file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
}
