-- How the people of each organisational unit stand; otherwise as team-compliance.
-- default manager
-- default scope subtree
-- default within 30
WITH RECURSIVE
-- include below
,
-- include member
SELECT
    org_unit AS orgUnit,
    count() AS members,
    sum(member.assigned) AS assigned,
    sum(member.completed) AS completed,
    sum(member.failed) AS failed,
    sum(member.open) AS open,
    sum(member.overdue) AS overdue,
    sum(member.due_soon) AS dueSoon,
    sum(member.expiring) AS expiring,
    if(assigned = 0, NULL, completed / assigned) AS compliance
FROM member
WHERE counts
GROUP BY org_unit
ORDER BY orgUnit
