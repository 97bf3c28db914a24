// A double as MySQL prints it: the shortest digits that read back, in plain notation while the exponent is small, else with an
// exponent that has no plus sign and no zeros. JSON documents add ".0" to whole numbers.

/** From this many digits before the point (or zeros behind it) on, the server changes to an exponent. */
const plainDigitsMax = 15;

export function printDouble(value: number, json: boolean): string {
  if (value === 0) return (Object.is(value, -0) ? '-0' : '0') + (json ? '.0' : '');
  const [mantissa, exponentText] = Math.abs(value).toExponential().split('e') as [string, string];
  const sign = value < 0 ? '-' : '';
  const digits = mantissa.replace('.', '');
  // value = 0.digits * 10^point
  const point = Number(exponentText) + 1;
  if (point < 1 - plainDigitsMax || (point > plainDigitsMax && digits.length <= point)) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${rest}e${point - 1}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (digits.length > point) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  return sign + digits.padEnd(point, '0') + (json ? '.0' : '');
}
