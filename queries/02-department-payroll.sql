-- An aggregate: how many people each department has, what they earn together, and the highest salary among them. A move takes
-- a person out of one group and into another; when the best paid one leaves, the next best is found again.
-- (MAX over a table goes beyond ksqlDB, which can take back only COUNT and SUM; leave the column out to run this there.)
CREATE TABLE department_payroll AS
  SELECT
    department_id,
    COUNT(*) AS headcount,
    SUM(salary) AS payroll,
    MAX(salary) AS top_salary
  FROM employees
  WHERE active = true
  GROUP BY department_id
  EMIT CHANGES;
