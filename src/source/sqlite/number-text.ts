// Numbers of SQLite as text: reals as SQLite prints them, and decimals in the canonical form of their column.

/** Shortest form that reads back, whole numbers with `.0`, as SQLite prints a real. */
export function realText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  const text = String(value);
  if (/^-?\d+$/.test(text)) return `${text}.0`;
  return text.replace(/^(-?\d)e/, '$1.0e');
}

/** `-?digits(.digits)?` with exactly `scale` digits behind the point; null when the value does not fit without rounding. */
export function decimalText(value: bigint | number | string, precision: number, scale: number): string | null {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(String(value));
  if (!match) return null;
  const [, sign, wholeText, fractionText = '', exponentText] = match;
  if (wholeText === '' && fractionText === '') return null;
  let whole = wholeText!;
  let fraction = fractionText;
  const exponent = Number(exponentText ?? 0);
  if (Math.abs(exponent) > 400) return null;
  if (exponent > 0) {
    const moved = fraction.padEnd(exponent, '0');
    whole += moved.slice(0, exponent);
    fraction = moved.slice(exponent);
  } else if (exponent < 0) {
    const moved = whole.padStart(-exponent, '0');
    whole = moved.slice(0, moved.length + exponent);
    fraction = moved.slice(moved.length + exponent) + fraction;
  }
  whole = whole.replace(/^0+(?=.)/, '');
  fraction = fraction.replace(/0+$/, '');
  if (whole === '') whole = '0';
  const wholeDigits = whole === '0' ? 0 : whole.length;
  if (fraction.length > scale || wholeDigits > precision - scale) return null;
  const zero = whole === '0' && fraction === '';
  const digits = scale === 0 ? whole : `${whole}.${fraction.padEnd(scale, '0')}`;
  return sign === '-' && !zero ? `-${digits}` : digits;
}
