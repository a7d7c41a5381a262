-- The same where it is known who is in which team: for a small team, ClickHouse takes longer to understand team-compliance.report.sql than to
-- answer it.
WITH standing AS
(
    SELECT
        person,
        argMaxIf((status, due_on), position, status != '') AS last,
        argMaxIf(
            tuple(expires_on),
            position,
            type IN ('EnrollmentCompleted', 'LearnerCertified', 'CertificationRenewed', 'CertificationExpired', 'EnrollmentSuperseded')).1 AS last_expires_on
    FROM member_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND person IN {team:Array(UUID)}
    GROUP BY person, enrollment
)
SELECT
    transform(toString(person), {team:Array(String)}, {leads:Array(String)}) AS manager,
    transform(manager, {leaders:Array(String)}, {numbers:Array(String)}) AS managerEmployeeNumber,
    uniqExact(person) AS members,
    completed + failed + open AS assigned,
    countIf(last.1 = 'completed') AS completed,
    countIf(last.1 = 'failed') AS failed,
    countIf(last.1 = 'open') AS open,
    countIf(last.1 = 'open' AND last.2 < toDate32({asOf:DateTime64(3, 'UTC')})) AS overdue,
    countIf(last.1 = 'open' AND last.2 >= toDate32({asOf:DateTime64(3, 'UTC')})
        AND last.2 <= toDate32({asOf:DateTime64(3, 'UTC')}) + {within:UInt16}) AS dueSoon,
    countIf(last_expires_on >= toDate32({asOf:DateTime64(3, 'UTC')})
        AND last_expires_on <= toDate32({asOf:DateTime64(3, 'UTC')}) + {within:UInt16}) AS expiring,
    if(assigned = 0, NULL, completed / assigned) AS compliance
FROM standing
GROUP BY manager
ORDER BY manager
