// Splits the text of a JSON array into the texts of its items, so that numbers are shown with all their digits.
export function splitJsonArray(text: string): string[] {
  const cells: string[] = [];
  let depth = 0;
  let inString = false;
  let start = 1;
  const end = text.lastIndexOf(']');
  for (let i = 1; i < end; i++) {
    const c = text[i];
    if (inString) {
      if (c === '\\') i++;
      else if (c === '"') inString = false;
    } else if (c === '"') {
      inString = true;
    } else if (c === '[' || c === '{') {
      depth++;
    } else if (c === ']' || c === '}') {
      depth--;
    } else if (c === ',' && depth === 0) {
      cells.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (end > start) cells.push(text.slice(start, end));
  return cells;
}

/** A cell for people: strings without quotes, everything else as it stands. */
export function cellText(json: string): string {
  const text = json.trim();
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}
