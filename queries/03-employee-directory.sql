-- A foreign-key join: every employee with the name and place of the department. Renaming a department changes the rows of all
-- its people at once, in the same version as the department itself.
CREATE TABLE employee_directory AS
  SELECT
    e.id AS id,
    e.first_name AS first_name,
    e.last_name AS last_name,
    e.email AS email,
    e.title AS title,
    d.name AS department,
    d.location AS location
  FROM employees e
  JOIN departments d ON e.department_id = d.id
  EMIT CHANGES;
