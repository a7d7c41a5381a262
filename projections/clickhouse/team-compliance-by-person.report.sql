-- How each person stands; otherwise as team-compliance.
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
    member.assigned AS assigned,
    member.completed AS completed,
    member.failed AS failed,
    member.open AS open,
    member.overdue AS overdue,
    member.due_soon AS dueSoon,
    member.expiring AS expiring,
    if(member.assigned = 0, NULL, member.completed / member.assigned) AS compliance
FROM member
WHERE counts
ORDER BY person
