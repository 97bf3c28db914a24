// Errors with a place in the SQL text. Parser and analyser throw them with the place alone; `withExcerpt` adds the line and a
// caret once the text is at hand.
import { AppError, type ErrorCode } from '../core/errors.js';

/** Where something stands in the text: line and column from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export function syntaxError(place: Place, message: string, hint?: string): AppError {
  return placed('syntax-error', place, message, hint);
}

/** A bound of the language is passed; `what` says which. */
export function tooLarge(place: Place | undefined, what: string, hint?: string): AppError {
  return placed('statement-too-large', place, what, hint);
}

export function invalidStatement(place: Place | undefined, message: string, hint?: string): AppError {
  return placed('invalid-statement', place, message, hint);
}

/** A feature of the dialect that is not there; `what` names the clause or the statement. */
export function unsupported(place: Place | undefined, what: string, hint?: string): AppError {
  return placed('unsupported-statement', place, `${what} is not supported`, hint);
}

function placed(code: ErrorCode, place: Place | undefined, message: string, hint: string | undefined): AppError {
  return new AppError(code, message, { place: place && { line: place.line, column: place.column }, hint });
}

/** ksqlDB's syntax errors name the statement, which its clients show. */
export function namingStatement(error: unknown, text: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'syntax-error') return error;
  const { hint, place } = error;
  return new AppError('syntax-error', `${error.message}\nStatement: ${text}`, { hint, place });
}

/** The same error with an excerpt of the text in `detail`; `base` is the place at which the text starts. */
export function withExcerpt(error: unknown, text: string, base: Place): unknown {
  if (!(error instanceof AppError) || error.place?.line === undefined || error.detail !== undefined) return error;
  const { line, column = 1 } = error.place;
  const found = text.split('\n')[line - base.line];
  if (found === undefined) return error;
  // The first line of a statement may begin in the middle of a line of its file.
  const at = line === base.line ? column - base.column : column - 1;
  const { code, message, hint, retriable, place, cause } = error;
  return new AppError(code, message, { detail: excerpt(found.replace(/\r$/, ''), at), hint, retriable, place, cause });
}

const widthMax = 160;

function excerpt(line: string, at: number): string {
  const start = at > widthMax - 40 ? at - 60 : 0;
  const cut = line.slice(start, start + widthMax);
  // Tabs stay tabs under tabs, so that the caret stands where the reader sees it.
  const indent = cut.slice(0, Math.max(at - start, 0)).replace(/[^\t]/g, ' ');
  return `${cut}\n${indent}^`;
}
