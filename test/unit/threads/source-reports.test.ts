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

function tell(position: string | null, state: SourceState): void {
  reports.tell({ state, position });
}
const positions = () => sent.map(({ position }) => position);

it('a new phase is told at once', () => {
  tell(null, { phase: 'connecting' });
  tell('1', { phase: 'snapshot' });
  tell('2', { phase: 'streaming', caughtUp: true });
  tell('2', { phase: 'waiting', reason: 'gone' });
  expect(sent.map(({ state }) => state.phase)).toEqual(['connecting', 'snapshot', 'streaming', 'waiting']);
});

it('within a phase only the newest is told, and never less than the last word', () => {
  tell('0', { phase: 'streaming', caughtUp: false });
  for (let i = 1; i <= 1000; i++) tell(String(i), { phase: 'streaming', caughtUp: i % 2 === 0 });
  expect(positions()).toEqual(['0']);
  vi.advanceTimersByTime(100);
  expect(positions()).toEqual(['0', '1000']);
  expect(sent.at(-1)!.state.caughtUp).toBe(true);
});

it('a source that rests is not heard of again', () => {
  tell('1', { phase: 'streaming', caughtUp: true });
  for (let i = 0; i < 10; i++) {
    tell('1', { phase: 'streaming', caughtUp: false });
    tell('1', { phase: 'streaming', caughtUp: true });
    vi.advanceTimersByTime(1000);
  }
  expect(positions()).toEqual(['1']);
});

it('what was waiting for its time goes before nothing newer', () => {
  tell('1', { phase: 'streaming', caughtUp: false });
  tell('2', { phase: 'streaming', caughtUp: false });
  tell('2', { phase: 'waiting', reason: 'gone' });
  vi.advanceTimersByTime(1000);
  expect(sent.map(({ state }) => state.phase)).toEqual(['streaming', 'waiting']);
});
