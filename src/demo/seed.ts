// Makes the demo's database: the SQLite file of an invented company, as an application of its own would keep it. The same seed
// gives the same rows.
import { openDatabase } from '../sqlite/database.js';
import { departments, emailOf, makePerson, makeRank, makeSalary, ranks } from './company.js';
import { createRandom } from './random.js';

export interface SeedOptions {
  readonly seed?: number | undefined;
  readonly employees?: number | undefined;
}

/** DECIMAL, DATE and BOOLEAN are only names to SQLite; capture gives them their meaning. */
const schema = `
CREATE TABLE departments (
  id INTEGER PRIMARY KEY,
  name VARCHAR(60) NOT NULL UNIQUE,
  location VARCHAR(60) NOT NULL
);
CREATE TABLE employees (
  id INTEGER PRIMARY KEY,
  first_name VARCHAR(60) NOT NULL,
  last_name VARCHAR(60) NOT NULL,
  email VARCHAR(120) NOT NULL UNIQUE,
  department_id INTEGER NOT NULL REFERENCES departments (id),
  title VARCHAR(60) NOT NULL,
  salary DECIMAL(10, 2) NOT NULL,
  hired DATE NOT NULL,
  active BOOLEAN NOT NULL
);
CREATE INDEX employees_department ON employees (department_id);
`;

/** Creates the file; it must not be there yet. */
export function seedDemo(path: string, options: SeedOptions = {}): void {
  const random = createRandom(options.seed ?? 1);
  const database = openDatabase(path);
  try {
    database.exec(schema);
    database.transaction(() => {
      const department = database.prepare('INSERT INTO departments VALUES (?, ?, ?)');
      for (const { id, name, location } of departments) department.run(id, name, location);
      const employee = database.prepare('INSERT INTO employees VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
      for (let id = 1; id <= (options.employees ?? 3_000); id++) {
        const person = makePerson(random);
        const rank = makeRank(random);
        employee.run(
          id,
          person.firstName,
          person.lastName,
          emailOf(person, id),
          random.pick(departments).id,
          ranks[rank]!.title,
          makeSalary(rank, random),
          dayText(Date.UTC(2008, 0, 1) + random.below(6_500) * 86_400_000),
          random.chance(0.94) ? 1 : 0,
        );
      }
    });
    // Our own files are checkpointed by a thread of their own; this one belongs to the application from here on.
    database.raw.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

/** `YYYY-MM-DD` in UTC. */
export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
