// `capture`: binlog to log, topics only; `capture-mariadb` from MariaDB, `capture-kafka` into Kafka. `small-transactions`: commits of one
// row to queryable rows.
import type { Bench, BenchEnv } from './bench.js';
import { measureDrain, measureKafkaDrain, type Load } from './drain.js';

const mixed = (env: BenchEnv): Load => ({
  events: env.number('events', 500_000),
  load: (database, events) => database.mix(events, 1),
});

export const capture: Bench = {
  summary: 'binlog to log, topics only (events, runs)',
  run: (env) => measureDrain(env, { ...mixed(env), topicsOnly: true }),
};

export const captureMariadb: Bench = {
  summary: 'the same from MariaDB (events, runs)',
  run: (env) => measureDrain(env, { ...mixed(env), topicsOnly: true, product: 'mariadb' }),
};

export const captureKafka: Bench = {
  summary: 'binlog to Kafka, topics only (events, runs)',
  run: (env) => measureKafkaDrain(env, mixed(env)),
};

export const smallTransactions: Bench = {
  summary: 'commits of one row to queryable rows (commits, runs)',
  run: (env) =>
    measureDrain(env, {
      topicsOnly: false,
      // Some seconds: of the first one a good part is compilation, which a zongji that has run before does not have.
      events: env.number('commits', 300_000),
      load: (database, events) => database.singles(events, 1),
    }),
};
