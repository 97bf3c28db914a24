// The first occurrence of a text in another in linear time. The engine's own `indexOf` is fast, and for a long pattern that nearly occurs
// everywhere it takes the product of both lengths. So it looks for the first units of a long pattern only, and what follows them is
// compared by Knuth, Morris and Pratt: no unit of the text is looked at again.

/** Units of a pattern up to which the product is linear enough. */
const shortMax = 32;

export type FindText = (text: string, from: number) => number;

/** Gives the place behind which nothing was looked for: `indexOf(pattern, from)`, -1 when there is none. */
export function findsText(pattern: string): FindText {
  if (pattern.length <= shortMax) return (text, from) => text.indexOf(pattern, from);
  const start = pattern.slice(0, shortMax);
  let borders: Int32Array | undefined;
  return (text, from) => {
    let at = text.indexOf(start, from);
    if (at < 0) return -1;
    borders ??= bordersOf(pattern);
    let matched = shortMax;
    at += shortMax;
    for (;;) {
      if (matched === pattern.length) return at - matched;
      if (text.length - at < pattern.length - matched) return -1;
      const unit = text.charCodeAt(at);
      while (matched > 0 && pattern.charCodeAt(matched) !== unit) matched = borders[matched - 1]!;
      if (pattern.charCodeAt(matched) === unit) {
        matched++;
        at++;
        continue;
      }
      at = text.indexOf(start, at + 1);
      if (at < 0) return -1;
      matched = shortMax;
      at += shortMax;
    }
  };
}

/** Of each beginning of the pattern, how much of its end is a beginning, too. */
function bordersOf(pattern: string): Int32Array {
  const borders = new Int32Array(pattern.length);
  let matched = 0;
  for (let i = 1; i < pattern.length; i++) {
    const unit = pattern.charCodeAt(i);
    while (matched > 0 && pattern.charCodeAt(matched) !== unit) matched = borders[matched - 1]!;
    if (pattern.charCodeAt(matched) === unit) matched++;
    borders[i] = matched;
  }
  return borders;
}
