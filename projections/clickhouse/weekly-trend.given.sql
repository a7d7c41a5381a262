-- The same where it is known who is in the team: only facts of theirs count, each once however often it was derived.
WITH happened AS
(
    SELECT DISTINCT enrollment AS subject, position, toDate32(occurred_at) AS day, type, status, false AS is_graded, false AS is_passed
    FROM member_facts
    WHERE tenant = {tenant:String} AND day <= toDate32({asOf:DateTime64(3, 'UTC')}) AND position <= {upTo:UInt64}
      AND course != '' AND ({course:String} = '' OR course = {course:String})
      AND person IN {team:Array(UUID)}
    UNION ALL
    SELECT DISTINCT attempt AS subject, position, toDate32(occurred_at) AS day, type, '' AS status, graded AS is_graded, passed AS is_passed
    FROM member_attempts
    WHERE tenant = {tenant:String} AND day <= toDate32({asOf:DateTime64(3, 'UTC')}) AND position <= {upTo:UInt64}
      AND ({course:String} = '' OR course = {course:String})
      AND person IN {team:Array(UUID)}
)
SELECT
    toString(toMonday(day)) AS week,
    countIf(type = 'LearnerEnrolled') AS enrolled,
    countIf(type = 'EnrollmentCompleted') AS completed,
    countIf(type = 'EnrollmentFailed') AS failed,
    countIf(type = 'LearnerWithdrawn' AND status = 'withdrawn') AS withdrawn,
    countIf(type IN ('LearnerCertified', 'CertificationRenewed')) AS certified,
    countIf(type = 'CertificationExpired') AS expired,
    countIf(type IN ('AttemptRecorded', 'AttemptSubmitted', 'AttemptTimedOut')) AS attempts,
    countIf(is_graded AND type IN ('AttemptRecorded', 'AttemptGraded')) AS graded,
    countIf(is_passed AND type IN ('AttemptRecorded', 'AttemptGraded')) AS passed
FROM happened
GROUP BY week
HAVING enrolled + completed + failed + withdrawn + certified + expired + attempts + graded + passed > 0
ORDER BY week
