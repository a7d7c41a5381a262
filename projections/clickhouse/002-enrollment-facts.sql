-- One row per event that says how an enrollment stands: open, withdrawn, completed, failed, exempted or expired. The order key begins with what reports group by and ends with position, so that a row derived
-- twice is the same row; argMax(..., position) gives the standing, also as of an earlier day.
CREATE TABLE IF NOT EXISTS enrollment_facts
(
    tenant      LowCardinality(String),
    course      LowCardinality(String),
    enrollment  UUID,
    person      UUID,
    status      LowCardinality(String),
    due_on      Nullable(Date32),
    occurred_at DateTime64(3, 'UTC'),
    position    UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, course, enrollment, position);

-- derive from LearnerEnrolled, DueDateMoved, EnrollmentSuperseded, LearnerExempted, LearnerWithdrawn, EnrollmentCompleted, EnrollmentFailed, RequirementAdded, RequirementEnded, CertificationExpired
INSERT INTO enrollment_facts
SELECT
    tenant,
    JSONExtractString(data, 'course'),
    toUUIDOrZero(JSONExtractString(data, 'enrollment')),
    toUUIDOrZero(JSONExtractString(data, 'person')),
    multiIf(
        type = 'EnrollmentCompleted' OR (type = 'LearnerWithdrawn' AND JSONExtractBool(data, 'certified')), 'completed',
        type = 'LearnerWithdrawn', 'withdrawn',
        type = 'EnrollmentFailed', 'failed',
        type = 'LearnerExempted', 'exempted',
        type = 'CertificationExpired', 'expired',
        'open'),
    toDate32OrNull(JSONExtractString(data, 'dueOn')),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND (type IN ('LearnerEnrolled', 'DueDateMoved', 'EnrollmentSuperseded', 'LearnerExempted', 'LearnerWithdrawn',
                'EnrollmentCompleted', 'EnrollmentFailed')
       -- These leave an enrollment that is over as it is, and one whose renewal is open.
       OR (type IN ('RequirementAdded', 'RequirementEnded') AND JSONExtractBool(data, 'open'))
       OR (type = 'CertificationExpired' AND NOT JSONExtractBool(data, 'open')));
