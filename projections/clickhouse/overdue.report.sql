-- What is open although it was due, longest first. With {manager} of the people below, unless {scope} is 'direct' all of them; '' for
-- everybody who reports to somebody.
-- parted by person
-- default manager
-- default scope subtree
-- default within 0
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
    toString(enrollment.3) AS dueOn,
    toUInt32(dateDiff('day', assumeNotNull(enrollment.3), toDate32({asOf:DateTime64(3, 'UTC')}))) AS daysOverdue
FROM member
ARRAY JOIN enrollments AS enrollment
WHERE counts AND enrollment.5
ORDER BY dueOn, person, course
