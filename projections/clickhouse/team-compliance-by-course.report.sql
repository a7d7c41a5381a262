-- How the people stand in each course; otherwise as team-compliance. `members` are those who have anything to do with it.
-- default manager
-- default scope subtree
-- default within 30
WITH RECURSIVE
-- include below
,
-- include member
SELECT
    enrollment.1 AS course,
    uniqExact(person) AS members,
    countIf(enrollment.2 IN ('open', 'completed', 'failed')) AS assigned,
    countIf(enrollment.2 = 'completed') AS completed,
    countIf(enrollment.2 = 'failed') AS failed,
    countIf(enrollment.2 = 'open') AS open,
    countIf(enrollment.5) AS overdue,
    countIf(enrollment.6) AS dueSoon,
    countIf(enrollment.7) AS expiring,
    if(assigned = 0, NULL, completed / assigned) AS compliance
FROM member
ARRAY JOIN enrollments AS enrollment
WHERE counts
GROUP BY course
ORDER BY course
