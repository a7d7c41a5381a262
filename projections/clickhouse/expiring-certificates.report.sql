-- Certificates whose last day is at most {within} days away, soonest first, and whether their renewal is under way. People as in overdue.
-- parted by person
-- default manager
-- default scope subtree
-- default within 30
WITH RECURSIVE
-- include below
,
-- include member
SELECT
    toString(person) AS person,
    employee_number AS employeeNumber,
    toString(boss) AS manager,
    org_unit AS orgUnit,
    enrollment.1 AS course,
    toString(enrollment.4) AS expiresOn,
    toUInt32(dateDiff('day', toDate32({asOf:DateTime64(3, 'UTC')}), assumeNotNull(enrollment.4))) AS daysLeft,
    CAST(enrollment.2 = 'open', 'Bool') AS renewing
FROM member
ARRAY JOIN enrollments AS enrollment
WHERE counts AND enrollment.7
ORDER BY expiresOn, person, course
