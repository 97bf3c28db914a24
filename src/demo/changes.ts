// What happens in the invented company: hires, raises, promotions, moves between departments, leavings, and the removal of
// people who left. Each step is one small transaction over one to four rows; as many come as go, so the company keeps its size.
import type { SqliteDatabase } from '../sqlite/database.js';
import { departments, emailOf, makePerson, makeSalary, ranks } from './company.js';
import type { Random } from './random.js';
import { dayText } from './seed.js';

export type Step = (database: SqliteDatabase, random: Random) => number;

/** One transaction; the number of rows that it changed. */
export function changeSomething(database: SqliteDatabase, random: Random): number {
  return database.transaction(() => random.pick(steps)(database, random));
}

const hire: Step = (database, random) => {
  const insert = database.statement(
    `INSERT INTO employees (id, first_name, last_name, email, department_id, title, salary, hired, active)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)`,
  );
  const last = database.statement('SELECT max(id) FROM employees').get()!;
  const count = 1 + random.below(3);
  for (let i = 1; i <= count; i++) {
    const id = Number(last[0] ?? 0) + i;
    const person = makePerson(random);
    const rank = random.below(3);
    const department = random.pick(departments).id;
    insert.run(
      id,
      person.firstName,
      person.lastName,
      emailOf(person, id),
      department,
      ranks[rank]!.title,
      makeSalary(rank, random),
      dayText(Date.now()),
    );
  }
  return count;
};

/** A team gets one to four percent more; rounded, since a salary is exact to the cent. */
const raise: Step = (database, random) => {
  const team = someActive(database, random, 1 + random.below(4));
  const update = database.statement('UPDATE employees SET salary = round(salary * ?, 2) WHERE id = ?');
  const factor = 1 + (1 + random.below(4)) / 100;
  for (const id of team) update.run(factor, id);
  return team.length;
};

const promote: Step = (database, random) => {
  const [id] = someActive(database, random, 1);
  if (id === undefined) return 0;
  const row = database.statement('SELECT title, salary FROM employees WHERE id = ?').get(id)!;
  const rank = ranks.findIndex(({ title }) => title === row[0]) + 1;
  if (rank >= ranks.length) return 0;
  const salary = Math.max(Number(row[1]), ranks[rank]!.entry * 100);
  database.statement('UPDATE employees SET title = ?, salary = ? WHERE id = ?').run(ranks[rank]!.title, salary, id);
  return 1;
};

/** Two people change places. */
const move: Step = (database, random) => {
  const pair = someActive(database, random, 2);
  const update = database.statement('UPDATE employees SET department_id = ? WHERE id = ?');
  for (const id of pair) update.run(random.pick(departments).id, id);
  return pair.length;
};

const leave: Step = (database, random) => {
  const leaving = someActive(database, random, 1 + random.below(3));
  const update = database.statement('UPDATE employees SET active = 0 WHERE id = ?');
  for (const id of leaving) update.run(id);
  return leaving.length;
};

/** Who has left is forgotten some time later: the demo's deletes. */
const forget: Step = (database, random) => {
  const count = 1 + random.below(3);
  const gone = database.statement(
    'DELETE FROM employees WHERE id IN (SELECT id FROM employees WHERE active = 0 LIMIT ?)',
  );
  return gone.run(count).changes;
};

/** Raises are the most frequent, as in life. */
const steps: readonly Step[] = [hire, raise, raise, raise, promote, move, leave, forget];

function someActive(database: SqliteDatabase, random: Random, count: number): number[] {
  const last = Number(database.statement('SELECT max(id) FROM employees').get()![0] ?? 0);
  const next = database.statement('SELECT id FROM employees WHERE id >= ? AND active = 1 ORDER BY id LIMIT 1');
  const found = new Set<number>();
  for (let i = 0; i < count; i++) {
    const row = next.get(1 + random.below(last));
    if (row) found.add(Number(row[0]));
  }
  return [...found];
}
