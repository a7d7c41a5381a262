-- What happened in each week (from its Monday), up to the end of the day of {asOf}: events as they were recorded, so that a week keeps what
-- happened in it whatever became of it later. Over everybody it adds up activity_days and the end of the log that they do not cover yet;
-- with {manager} it counts the facts of the people below, unless {scope} is 'direct' all of them. {course} '' for all courses.
-- default manager
-- default scope subtree
-- default course
WITH RECURSIVE
-- include below
,
-- include team
,
counted AS
(
    SELECT day, enrolled, completed, failed, withdrawn, certified, expired, attempts, graded, passed
    FROM activity_days FINAL
    WHERE {manager:String} = '' AND tenant = {tenant:String} AND day <= toDate32({asOf:DateTime64(3, 'UTC')})
      AND span < bitShiftRight({upTo:UInt64} + 1, 22)
      AND ({course:String} = '' OR course = {course:String})
    UNION ALL
    SELECT day, enrolled, completed, failed, withdrawn, certified, expired, attempts, graded, passed
    FROM activity
    WHERE {manager:String} = '' AND tenant = {tenant:String} AND day <= toDate32({asOf:DateTime64(3, 'UTC')})
      AND position >= bitShiftLeft(bitShiftRight({upTo:UInt64} + 1, 22), 22) AND position <= {upTo:UInt64}
      AND ({course:String} = '' OR course = {course:String})
    UNION ALL
    SELECT
        toDate32(occurred_at) AS day,
        CAST(type = 'LearnerEnrolled', 'UInt64') AS enrolled,
        CAST(type = 'EnrollmentCompleted', 'UInt64') AS completed,
        CAST(type = 'EnrollmentFailed', 'UInt64') AS failed,
        CAST(type = 'LearnerWithdrawn' AND status = 'withdrawn', 'UInt64') AS withdrawn,
        CAST(type IN ('LearnerCertified', 'CertificationRenewed'), 'UInt64') AS certified,
        CAST(type = 'CertificationExpired', 'UInt64') AS expired,
        CAST(0, 'UInt64') AS attempts,
        CAST(0, 'UInt64') AS graded,
        CAST(0, 'UInt64') AS passed
    FROM member_facts FINAL
    WHERE {manager:String} != '' AND tenant = {tenant:String} AND day <= toDate32({asOf:DateTime64(3, 'UTC')}) AND position <= {upTo:UInt64}
      AND course != '' AND ({course:String} = '' OR course = {course:String})
      AND person IN (SELECT person FROM team)
    UNION ALL
    SELECT
        toDate32(occurred_at) AS day,
        CAST(0, 'UInt64') AS enrolled,
        CAST(0, 'UInt64') AS completed,
        CAST(0, 'UInt64') AS failed,
        CAST(0, 'UInt64') AS withdrawn,
        CAST(0, 'UInt64') AS certified,
        CAST(0, 'UInt64') AS expired,
        CAST(type IN ('AttemptRecorded', 'AttemptSubmitted', 'AttemptTimedOut'), 'UInt64') AS attempts,
        CAST(graded AND type IN ('AttemptRecorded', 'AttemptGraded'), 'UInt64') AS graded,
        CAST(passed AND type IN ('AttemptRecorded', 'AttemptGraded'), 'UInt64') AS passed
    FROM member_attempts FINAL
    WHERE {manager:String} != '' AND tenant = {tenant:String} AND day <= toDate32({asOf:DateTime64(3, 'UTC')}) AND position <= {upTo:UInt64}
      AND ({course:String} = '' OR course = {course:String})
      AND person IN (SELECT person FROM team)
)
SELECT
    toString(toMonday(day)) AS week,
    sum(counted.enrolled) AS enrolled,
    sum(counted.completed) AS completed,
    sum(counted.failed) AS failed,
    sum(counted.withdrawn) AS withdrawn,
    sum(counted.certified) AS certified,
    sum(counted.expired) AS expired,
    sum(counted.attempts) AS attempts,
    sum(counted.graded) AS graded,
    sum(counted.passed) AS passed
FROM counted
GROUP BY week
HAVING enrolled + completed + failed + withdrawn + certified + expired + attempts + graded + passed > 0
ORDER BY week
