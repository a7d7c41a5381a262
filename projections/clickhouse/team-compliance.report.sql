-- How each team stands: the active people who report to a manager, and what they are assigned (open, completed or failed). With
-- {manager} the teams of that manager and, unless {scope} is 'direct', of everybody below; '' for all teams. What is open is overdue
-- once its day is over, and due soon when that day is at most {within} days away; a certificate is expiring when its last day is.
-- parted by manager
-- default manager
-- default scope subtree
-- default within 30
WITH RECURSIVE
-- include below
,
-- include member
SELECT
    toString(row.1) AS manager,
    anyIf(member.employee_number, row.3) AS managerEmployeeNumber,
    countIf(row.2) AS members,
    sumIf(member.assigned, row.2) AS assigned,
    sumIf(member.completed, row.2) AS completed,
    sumIf(member.failed, row.2) AS failed,
    sumIf(member.open, row.2) AS open,
    sumIf(member.overdue, row.2) AS overdue,
    sumIf(member.due_soon, row.2) AS dueSoon,
    sumIf(member.expiring, row.2) AS expiring,
    if(assigned = 0, NULL, completed / assigned) AS compliance
FROM member
-- Each person once for the team that they are in, and once for the one that they lead.
ARRAY JOIN [(ifNull(boss, person), counts, false), (person, false, true)] AS row
GROUP BY row.1
HAVING members > 0
ORDER BY manager
