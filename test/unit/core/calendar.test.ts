import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { civilDate, epochDays, isDay } from '../../../src/core/calendar.js';

describe('the calendar', () => {
  it('has the days that JavaScript has, both ways', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('-100000-01-01'), max: new Date('+100000-12-31'), noInvalidDate: true }),
        (date) => {
          const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
          const days = Math.floor(date.getTime() / 86_400_000);
          expect(isDay(year, month, day)).toBe(true);
          expect(epochDays(year, month, day)).toBe(days);
          expect(civilDate(days)).toEqual({ year, month, day });
        },
      ),
      { seed: 6 },
    );
  });

  it('knows its leap years', () => {
    const days: [number, number, number, boolean][] = [
      [2023, 2, 29, false],
      [2024, 2, 29, true],
      [1900, 2, 29, false],
      [2000, 2, 29, true],
      [2024, 0, 1, false],
      [2024, 13, 1, false],
      [2024, 4, 31, false],
    ];
    for (const [year, month, day, there] of days) expect(isDay(year, month, day)).toBe(there);
  });
});
