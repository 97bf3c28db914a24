// How an error looks on the terminal: `code: message`, then place, detail and hint on lines of their own.
import { type AppError, type ErrorPlace } from '../core/errors.js';

export function errorText(error: AppError): string {
  const lines = [`${error.code}: ${error.message}`];
  const place = placeText(error.place);
  if (place !== '') lines.push(`  at ${place}`);
  if (error.detail !== undefined) lines.push(...error.detail.split('\n').map((line) => `  ${line}`));
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`);
  return lines.join('\n') + '\n';
}

export function errorJson(error: AppError): string {
  const { code, message, detail, hint, place } = error;
  return JSON.stringify({ error: { code, message, detail, hint, place } }) + '\n';
}

function placeText(place: ErrorPlace | undefined): string {
  if (place === undefined) return '';
  const { file, line, column, path } = place;
  return [path, file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
}
