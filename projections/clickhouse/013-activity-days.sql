-- What happened, counted by event: the columns of activity_days for each event that counts in one of them.
CREATE VIEW IF NOT EXISTS activity AS
SELECT
    tenant,
    JSONExtractString(data, 'course') AS course,
    toDate32(occurred_at) AS day,
    CAST(type = 'LearnerEnrolled', 'UInt64') AS enrolled,
    CAST(type = 'EnrollmentCompleted', 'UInt64') AS completed,
    CAST(type = 'EnrollmentFailed', 'UInt64') AS failed,
    -- Not when only a renewal is withdrawn.
    CAST(type = 'LearnerWithdrawn' AND NOT JSONExtractBool(data, 'certified'), 'UInt64') AS withdrawn,
    CAST(type IN ('LearnerCertified', 'CertificationRenewed'), 'UInt64') AS certified,
    CAST(type = 'CertificationExpired', 'UInt64') AS expired,
    CAST(type IN ('AttemptRecorded', 'AttemptSubmitted', 'AttemptTimedOut'), 'UInt64') AS attempts,
    CAST(type IN ('AttemptRecorded', 'AttemptGraded') AND JSONType(data, 'grade') = 'Object', 'UInt64') AS graded,
    CAST(type IN ('AttemptRecorded', 'AttemptGraded') AND JSONExtractBool(data, 'grade', 'passed'), 'UInt64') AS passed,
    position
FROM events
WHERE type IN ('LearnerEnrolled', 'EnrollmentCompleted', 'EnrollmentFailed', 'LearnerWithdrawn', 'LearnerCertified', 'CertificationRenewed',
               'CertificationExpired', 'AttemptRecorded', 'AttemptSubmitted', 'AttemptTimedOut', 'AttemptGraded');

-- The same added up by day, for each span of 2^22 positions of the log: `span` is the number of the span. A span is always counted as a
-- whole, anew from its beginning, and the newest count takes the place of the one before: however often and in whatever pieces a
-- range of the log is derived, nothing is counted twice. Read it with FINAL. What holds up to a position is the sum of the spans
-- that end before it, and of `activity` from there on. By span first: old ones do not change any more and are merged once.
CREATE TABLE IF NOT EXISTS activity_days
(
    tenant    LowCardinality(String),
    span      UInt64,
    course    LowCardinality(String),
    day       Date32,
    enrolled  UInt64,
    completed UInt64,
    failed    UInt64,
    withdrawn UInt64,
    certified UInt64,
    expired   UInt64,
    attempts  UInt64,
    graded    UInt64,
    passed    UInt64,
    -- How far the log had come when it was counted.
    counted   UInt64
)
ENGINE = ReplacingMergeTree(counted)
ORDER BY (tenant, span, course, day);

-- derive from LearnerEnrolled, EnrollmentCompleted, EnrollmentFailed, LearnerWithdrawn, LearnerCertified, CertificationRenewed, CertificationExpired, AttemptRecorded, AttemptSubmitted, AttemptTimedOut, AttemptGraded
INSERT INTO activity_days
SELECT
    tenant,
    bitShiftRight(position, 22) AS span,
    course,
    day,
    sum(enrolled),
    sum(completed),
    sum(failed),
    sum(withdrawn),
    sum(certified),
    sum(expired),
    sum(attempts),
    sum(graded),
    sum(passed),
    {upTo:UInt64}
FROM activity
WHERE position >= bitShiftLeft(bitShiftRight({after:UInt64} + 1, 22), 22) AND position <= {upTo:UInt64}
GROUP BY tenant, span, course, day;
