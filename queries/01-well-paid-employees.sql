-- A filtered table: the people who work here now and earn 90,000 or more. A row enters with the raise that lifts it over the
-- line, follows every change while it stays there, and goes when its person leaves.
-- `employees` is captured from the application's database; it needs no CREATE TABLE here.
CREATE TABLE well_paid_employees AS
  SELECT
    id,
    first_name,
    last_name,
    title,
    department_id,
    salary
  FROM employees
  WHERE active = true AND salary >= 90000
  EMIT CHANGES;
