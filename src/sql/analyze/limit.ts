// LIMIT: a whole number, not negative.
import type { Query } from '../ast.js';
import { invalidStatement } from '../sql-error.js';

export function limitOf(query: Query, negative = 'LIMIT must not be negative'): number | null {
  if (query.limit === null) return null;
  const { count, place } = query.limit;
  const value = count.kind === 'integer' ? Number(count.text) : NaN;
  if (value < 0) throw invalidStatement(place, negative);
  if (!Number.isSafeInteger(value)) throw invalidStatement(place, 'LIMIT must be a whole number');
  return value;
}
