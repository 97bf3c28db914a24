import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SourceReport, SourceState } from '../../../src/source/source-connector.js';
import { SourceReports } from '../../../src/threads/source-reports.js';

let sent: SourceReport[];
let reports: SourceReports;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  reports = new SourceReports((report) => sent.push(report));
});
afterEach(() => {
  vi.useRealTimers();
});

const tell = (state: SourceState, atMs?: number) =>
  reports.tell({ state, ...(atMs === undefined ? {} : { confirmed: { atMs, seq: atMs } }) });
const progress = (rows: number): SourceState => ({
  phase: 'snapshot',
  snapshot: { tables: [{ table: 't', rows, rowsEstimated: null, done: false }] },
});
const rowsSent = () => sent.map(({ state }) => state.snapshot!.tables[0]!.rows);

it('a new phase is told at once', () => {
  tell({ phase: 'connecting' });
  tell(progress(1));
  tell({ phase: 'streaming', caughtUp: true });
  tell({ phase: 'waiting', reason: 'gone' });
  expect(sent.map(({ state }) => state.phase)).toEqual(['connecting', 'snapshot', 'streaming', 'waiting']);
});

it('of the progress of a snapshot only the newest is told, and never less than the last word', () => {
  for (let i = 0; i <= 1000; i++) tell(progress(i));
  expect(rowsSent()).toEqual([0]);
  vi.advanceTimersByTime(100);
  expect(rowsSent()).toEqual([0, 1000]);
});

it('a confirmation is told at once, and so is the end of a rest; what says nothing new is not told', () => {
  tell({ phase: 'streaming', caughtUp: true }, 1);
  tell({ phase: 'streaming', caughtUp: true }, 2);
  for (let i = 0; i < 100; i++) tell({ phase: 'streaming', caughtUp: false });
  tell({ phase: 'streaming', caughtUp: true });
  tell({ phase: 'streaming', caughtUp: true }, 3);
  vi.advanceTimersByTime(1000);
  expect(sent.map(({ state, confirmed }) => [state.caughtUp, confirmed?.atMs])).toEqual([
    [true, 1],
    [true, 2],
    [false, undefined],
    [true, 3],
  ]);
});

it('what was waiting for its time goes before nothing newer', () => {
  tell(progress(1));
  tell(progress(2));
  tell({ phase: 'waiting', reason: 'gone' });
  vi.advanceTimersByTime(1000);
  expect(sent.map(({ state }) => state.phase)).toEqual(['snapshot', 'waiting']);
});
