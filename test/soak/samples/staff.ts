// A company with its history, in the shape of the employees sample: six tables, keys with dates, foreign keys that cascade on delete, and
// views. At size 1000 it has about as many rows as that sample, 3.9 million, most of them salaries.
import type { Dice } from '../../support/harness/dice.js';
import { inserts, type Sample } from './sample.js';

function schema(): readonly string[] {
  const employee = 'FOREIGN KEY (emp_no) REFERENCES employees (emp_no) ON DELETE CASCADE';
  const department = 'FOREIGN KEY (dept_no) REFERENCES departments (dept_no) ON DELETE CASCADE';
  return [
    `CREATE TABLE employees (emp_no INT NOT NULL PRIMARY KEY, birth_date DATE NOT NULL, first_name VARCHAR(14) NOT NULL,
      last_name VARCHAR(16) NOT NULL, gender ENUM('M','F') NOT NULL, hire_date DATE NOT NULL)`,
    'CREATE TABLE departments (dept_no CHAR(4) NOT NULL PRIMARY KEY, dept_name VARCHAR(40) NOT NULL UNIQUE)',
    `CREATE TABLE dept_manager (emp_no INT NOT NULL, dept_no CHAR(4) NOT NULL, from_date DATE NOT NULL, to_date DATE NOT NULL,
      ${employee}, ${department}, PRIMARY KEY (emp_no, dept_no))`,
    `CREATE TABLE dept_emp (emp_no INT NOT NULL, dept_no CHAR(4) NOT NULL, from_date DATE NOT NULL, to_date DATE NOT NULL,
      ${employee}, ${department}, PRIMARY KEY (emp_no, dept_no))`,
    `CREATE TABLE titles (emp_no INT NOT NULL, title VARCHAR(50) NOT NULL, from_date DATE NOT NULL, to_date DATE,
      ${employee}, PRIMARY KEY (emp_no, title, from_date))`,
    `CREATE TABLE salaries (emp_no INT NOT NULL, salary INT NOT NULL, from_date DATE NOT NULL, to_date DATE NOT NULL,
      ${employee}, PRIMARY KEY (emp_no, from_date))`,
    `CREATE VIEW dept_emp_latest_date AS SELECT emp_no, MAX(from_date) AS from_date, MAX(to_date) AS to_date FROM dept_emp GROUP BY emp_no`,
    `CREATE VIEW current_dept_emp AS SELECT l.emp_no, d.dept_no, l.from_date, l.to_date FROM dept_emp d
      JOIN dept_emp_latest_date l ON d.emp_no = l.emp_no AND d.from_date = l.from_date AND d.to_date = l.to_date`,
    `CREATE PROCEDURE raise_salary(IN who INT, IN percent INT)
      BEGIN
        UPDATE salaries SET to_date = CURRENT_DATE WHERE emp_no = who AND to_date = '9999-01-01';
        INSERT IGNORE INTO salaries SELECT who, MAX(salary) * (100 + percent) DIV 100, CURRENT_DATE, '9999-01-01'
          FROM salaries WHERE emp_no = who HAVING MAX(salary) IS NOT NULL;
      END`,
  ];
}

const departments = 9;
const perUnit = 300;
const first = 10_001;
const names = [
  'Georgi',
  'Bezalel',
  'Parto',
  'Chirstian',
  'Kyoichi',
  'Anneke',
  'Tzvetan',
  'Saniya',
  'Sumant',
  'Duangkaew',
];
const titles = ['Engineer', 'Senior Engineer', 'Staff', 'Senior Staff', 'Technique Leader'];

function* fill(dice: Dice, size: number): Iterable<string> {
  const dept = (n: number): string => `'d${String(n).padStart(3, '0')}'`;
  yield* inserts(
    'departments',
    Array.from({ length: departments }, (_, i) => `${dept(i + 1)}, 'Department ${i + 1}'`),
  );
  // By blocks of employees, so that the rows of hardly more than one statement per table are in memory.
  for (let unit = 0; unit < size; unit++) {
    const people: string[] = [];
    const belongs: string[] = [];
    const called: string[] = [];
    const paid: string[] = [];
    for (let i = 0; i < perUnit; i++) {
      const no = first + unit * perUnit + i;
      const hired = dice.between(1985, 1999);
      people.push(
        `${no}, '19${dice.between(52, 65)}-0${dice.between(1, 9)}-1${dice.between(0, 9)}', '${dice.pick(names)}', '${dice.pick(names)}son', '${dice.pick(['M', 'F'])}', '${hired}-06-15'`,
      );
      belongs.push(`${no}, ${dept(1 + (no % departments))}, '${hired}-06-15', '9999-01-01'`);
      if (no % 10 === 0)
        belongs.push(`${no}, ${dept(1 + ((no + 1) % departments))}, '${hired - 1}-01-01', '${hired}-06-15'`);
      called.push(`${no}, '${dice.pick(titles)}', '${hired}-06-15', ${dice.pick(['NULL', "'9999-01-01'"])}`);
      if (no % 2 === 0) called.push(`${no}, 'Manager', '${hired + 3}-06-15', NULL`);
      const years = dice.between(4, 15);
      for (let year = 0; year < years; year++)
        paid.push(
          `${no}, ${40_000 + year * 1_000 + dice.between(0, 999)}, '${hired + year}-06-15', '${year === years - 1 ? '9999-01-01' : `${hired + year + 1}-06-15`}'`,
        );
    }
    yield* inserts('employees', people);
    yield* inserts('dept_emp', belongs);
    yield* inserts('titles', called);
    yield* inserts('salaries', paid);
  }
  yield 'INSERT INTO dept_manager SELECT emp_no, dept_no, from_date, to_date FROM dept_emp WHERE emp_no % 150 = 0';
}

function act(dice: Dice): readonly string[] {
  const who = (): number => first + dice.between(0, perUnit - 1);
  return dice.pick<() => readonly string[]>([
    () => [`CALL raise_salary(${who()}, ${dice.between(1, 9)})`],
    () => ['BEGIN', `CALL raise_salary(${who()}, 3)`, `CALL raise_salary(${who()}, 4)`, 'COMMIT'],
    // An employee leaves, with all that hangs on him, and another one comes.
    () => {
      const no = who();
      return [
        `DELETE FROM employees WHERE emp_no = ${no}`,
        `INSERT IGNORE INTO employees VALUES (${no}, '1960-01-01', 'New', 'Comer', 'F', CURRENT_DATE)`,
        `INSERT IGNORE INTO salaries VALUES (${no}, 50000, CURRENT_DATE, '9999-01-01')`,
      ];
    },
    () => [`UPDATE titles SET to_date = CURRENT_DATE WHERE emp_no = ${who()}`],
    () => [`UPDATE IGNORE dept_emp SET dept_no = 'd00${dice.between(1, departments)}' WHERE emp_no = ${who()}`],
    () => [`UPDATE employees SET last_name = '${dice.pick(names)}' WHERE emp_no BETWEEN ${who()} AND ${who()}`],
  ])();
}

export const staff: Sample = {
  name: 'staff',
  schema,
  fill,
  act,
  derived: [
    {
      name: 'pay_per_employee',
      create:
        'CREATE TABLE pay_per_employee AS SELECT emp_no, COUNT(*) AS n, SUM(salary) AS total FROM salaries GROUP BY emp_no;',
      ask: 'SELECT emp_no, COUNT(*) AS n, SUM(salary) AS total FROM salaries GROUP BY emp_no',
    },
  ],
};
