// Which failures may pass.
import { describe, expect, it } from 'vitest';
import { Restarts } from '../../../src/connect/restarts.js';
import { AppError, errorCodes, type ErrorCode } from '../../../src/core/errors.js';

const settings = { initialMs: 1, maxMs: 1, maxRetries: Infinity };
const kindsOf = (restarts: Restarts, error: AppError, positions: readonly (string | null)[]) =>
  positions.map((position) => restarts.after(error, position).kind);

describe('a failed task', () => {
  it('is started again without end when its error is retriable', () => {
    const lost = new AppError('source-unreachable', 'gone', { retriable: true });
    expect(kindsOf(new Restarts(settings), lost, Array<string>(20).fill('p'))).not.toContain('failed');
    const bounded = new Restarts({ ...settings, maxRetries: 2 });
    expect(kindsOf(bounded, lost, ['p', 'p', 'p'])).toEqual(['again', 'again', 'failed']);
    bounded.works();
    expect(kindsOf(bounded, lost, ['p'])).toEqual(['again']);
  });

  it.each(['internal', 'corrupt-binlog', 'source-failed'] as const)(
    'with %s is started again, but not without end at one position',
    (code) => {
      const restarts = new Restarts(settings);
      const error = new AppError(code, 'odd', { retriable: code === 'internal' });
      for (const position of ['a', 'b', null]) {
        expect(kindsOf(restarts, error, Array<typeof position>(6).fill(position))).toEqual([
          ...Array<string>(5).fill('again'),
          'failed',
        ]);
        // That it was reached says nothing of what comes behind it.
        restarts.works();
        expect(kindsOf(restarts, error, [position])).toEqual(['failed']);
      }
    },
  );

  it('stays failed with every other error: it waits for somebody', () => {
    const doubtful: readonly string[] = ['internal', 'corrupt-binlog', 'source-failed'];
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      const { kind } = new Restarts(settings).after(new AppError(code, 'no', { hint: 'do' }), 'p');
      expect([code, kind]).toEqual([code, doubtful.includes(code) ? 'again' : 'failed']);
    }
  });
});
