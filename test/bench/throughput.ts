// `capture`: binlog to log, topics only. `small-transactions`: commits of one row to queryable rows.
import type { Bench } from './bench.js';
import { measureDrain } from './drain.js';

export const capture: Bench = {
  summary: 'binlog to log, topics only (events, runs)',
  run: (env) =>
    measureDrain(env, {
      topicsOnly: true,
      events: env.number('events', 500_000),
      load: (database, events) => database.mix(events, 1),
    }),
};

export const smallTransactions: Bench = {
  summary: 'commits of one row to queryable rows (commits, runs)',
  run: (env) =>
    measureDrain(env, {
      topicsOnly: false,
      events: env.number('commits', 100_000),
      load: (database, events) => database.singles(events, 1),
    }),
};
