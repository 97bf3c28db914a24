// Strict mode: every unquoted name of a tree becomes upper case, as ksqlDB's parser does it; `quoted` then says whether the
// name needs quotes when it is shown.
import { isPlainName } from '../keywords.js';

export function foldNames<T>(node: T): T {
  return fold(node) as T;
}

function fold(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(fold);
  if (typeof node !== 'object' || node === null) return node;
  const fields = node as Record<string, unknown>;
  if (fields['kind'] === 'name') {
    const text = fields['quoted'] === true ? (fields['text'] as string) : (fields['text'] as string).toUpperCase();
    return { ...fields, text, quoted: !isPlainName(text) || text !== text.toUpperCase() };
  }
  const folded: Record<string, unknown> = {};
  for (const key in fields) folded[key] = fold(fields[key]);
  return folded;
}
