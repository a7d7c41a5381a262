-- How each enrollment of people who are known stands, from which team-compliance.ts counts their teams.
-- default within 30
SELECT
    person,
    argMaxIf((status, due_on), position, status != ''),
    argMaxIf(
        tuple(expires_on),
        position,
        type IN ('EnrollmentCompleted', 'LearnerCertified', 'CertificationRenewed', 'CertificationExpired', 'EnrollmentSuperseded'))
FROM member_facts
PREWHERE person IN {team:Array(UUID)}
WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
GROUP BY person, enrollment
