// Comma-separated regular expressions, as Debezium's lists are: a comma inside brackets or braces, or behind a backslash, is part of one.

/** `a{1,2}` is one item. */
export function splitPatterns(text: string): string[] {
  const items: string[] = [];
  let item = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\') {
      item += char + (text[++i] ?? '');
      continue;
    }
    if ('({['.includes(char)) depth++;
    if (')}]'.includes(char)) depth--;
    if (char === ',' && depth <= 0) {
      items.push(item);
      item = '';
    } else item += char;
  }
  return [...items, item].map((one) => one.trim()).filter((one) => one !== '');
}
