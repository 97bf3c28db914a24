// Of sources whose position cannot be set: it stays as it is, or everything is read again.
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../core/errors.js';
import type { WantedPosition } from './source-connector.js';

/** `anew`: from where everything is read again. */
export function onlyAsItIs({ offset, current }: WantedPosition, anew: string | null, why: string): string | null {
  if (offset === null) return anew;
  if (current !== null && isDeepStrictEqual(offset, JSON.parse(current))) return current;
  throw new AppError('bad-request', `the position of this source cannot be set: ${why}`, {
    hint: 'an offset of null has everything read again',
  });
}
