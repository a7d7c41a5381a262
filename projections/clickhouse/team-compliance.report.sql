-- How each team stands: the active people who report to a manager, and what they are assigned (open, completed or failed). With
-- {manager} the teams of that manager and of everybody below; '' for all teams.
WITH RECURSIVE
employment AS
(
    SELECT
        person,
        argMaxIf(employee_number, position, type = 'PersonHired') AS number,
        argMax(type, (occurred_at, rank, position)) != 'PersonTerminated' AS active
    FROM person_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND type IN ('PersonHired', 'PersonRehired', 'PersonTerminated')
    GROUP BY person
),
line AS
(
    SELECT person, argMax(tuple(manager), position).1 AS reports_to
    FROM reporting_line_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
    GROUP BY person
),
person AS
(
    SELECT employment.person AS person, ifNull(employment.number, '') AS number, employment.active AS active, line.reports_to AS reports_to
    FROM employment
    LEFT JOIN line ON line.person = employment.person
),
below AS
(
    SELECT toUUIDOrNull({manager:String}) AS manager, 0 AS depth
    WHERE {manager:String} != ''
    UNION ALL
    SELECT toNullable(p.person) AS manager, below.depth + 1 AS depth
    FROM person AS p
    INNER JOIN below ON p.reports_to = below.manager
    WHERE below.depth < 32
),
enrollment AS
(
    SELECT
        enrollment,
        any(person) AS person,
        argMax(status, position) AS standing,
        argMaxIf(tuple(due_on), position, status = 'open').1 AS last_due_on
    FROM enrollment_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
    GROUP BY enrollment
),
progress AS
(
    SELECT
        person,
        countIf(standing IN ('open', 'completed', 'failed')) AS assigned,
        countIf(standing = 'completed') AS completed,
        countIf(standing = 'failed') AS failed,
        countIf(standing = 'open') AS open,
        countIf(standing = 'open' AND last_due_on < toDate32({asOf:DateTime64(3, 'UTC')})) AS overdue
    FROM enrollment
    GROUP BY person
)
SELECT
    toString(member.reports_to) AS manager,
    any(boss.number) AS managerEmployeeNumber,
    count() AS members,
    sum(progress.assigned) AS assigned,
    sum(progress.completed) AS completed,
    sum(progress.failed) AS failed,
    sum(progress.open) AS open,
    sum(progress.overdue) AS overdue,
    if(assigned = 0, NULL, completed / assigned) AS compliance
FROM person AS member
LEFT JOIN progress ON progress.person = member.person
LEFT JOIN person AS boss ON boss.person = member.reports_to
WHERE member.active
  AND member.reports_to IS NOT NULL
  AND ({manager:String} = '' OR member.reports_to IN (SELECT manager FROM below))
GROUP BY member.reports_to
ORDER BY manager
