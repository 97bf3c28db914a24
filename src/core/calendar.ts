// The proleptic Gregorian calendar as numbers: days since 1970-01-01 and back, for any year (Hinnant's days_from_civil and
// civil_from_days). The year is taken to begin in March, so that the leap day is its last.

const daysInMonth = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** 1970-01-01, from 0000-03-01. */
const epochShift = 719468;
const daysPerEra = 146097;

/** True for a day that the calendar has. */
export function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth[month]!) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/** Days since 1970-01-01. */
export function epochDays(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.trunc((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * daysPerEra +
    yearOfEra * 365 +
    Math.trunc(yearOfEra / 4) -
    Math.trunc(yearOfEra / 100) +
    dayOfYear -
    epochShift
  );
}

export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export function civilDate(epochDay: number): CivilDate {
  const packed = packedDate(epochDay);
  const year = Math.floor(packed / 512);
  const rest = packed - year * 512;
  return { year, month: rest >> 5, day: rest & 31 };
}

/** The same as one number, year * 512 + month * 32 + day, for those who want no object. */
export function packedDate(epochDay: number): number {
  const shifted = epochDay + epochShift;
  const era = Math.floor(shifted / daysPerEra);
  const dayOfEra = shifted - era * daysPerEra;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0)) * 512 + month * 32 + day;
}
