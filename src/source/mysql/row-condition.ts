// The condition that rows have to meet which are asked for: text of the user's that stands in parentheses inside of our own statement. It
// is not parsed, but it may not leave them: parentheses and quotes are closed, and nothing else begins.
import { AppError } from '../../core/errors.js';

const lengthMax = 4000;

/** Throws bad-request. Our sessions have an empty sql_mode: a backslash escapes, and " begins a text. */
export function checkCondition(text: string): void {
  if (text.trim() === '') throw refused('it is empty');
  if (text.length > lengthMax) throw refused(`it has more than ${lengthMax} characters`);
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "'" || char === '"' || char === '`') at = endOfQuote(text, at);
    else if (char === '(') depth++;
    else if (char === ')' && --depth < 0) throw refused('it closes a parenthesis that it has not opened');
    else if (char === ';') throw refused('it holds more than one statement');
    else if (char === '#' || text.startsWith('--', at) || text.startsWith('/*', at)) throw refused('it has a comment');
  }
  if (depth > 0) throw refused('it opens a parenthesis that it does not close');
}

/** The place of the quote that closes the one at `start`. A quote that is doubled closes one text and begins the next, to the same effect. */
function endOfQuote(text: string, start: number): number {
  const quote = text[start]!;
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote !== '`') at++;
    else if (text[at] === quote) return at;
  }
  throw refused(`it opens a ${quote} that it does not close`);
}

function refused(why: string): AppError {
  return new AppError('bad-request', `the condition cannot be used: ${why}`, {
    hint: 'write it as behind WHERE, such as id >= 100',
  });
}
