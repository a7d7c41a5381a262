-- One row per enrollment event. The order key begins with what reports group by and ends with position, so that a row derived
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

-- derive
INSERT INTO enrollment_facts
SELECT
    tenant,
    JSONExtractString(data, 'course'),
    toUUIDOrZero(JSONExtractString(data, 'enrollment')),
    toUUIDOrZero(JSONExtractString(data, 'person')),
    transform(type,
        ['LearnerEnrolled', 'LearnerWithdrawn', 'EnrollmentCompleted', 'EnrollmentFailed'],
        ['open', 'withdrawn', 'completed', 'failed'], ''),
    toDate32OrNull(JSONExtractString(data, 'dueOn')),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type IN ('LearnerEnrolled', 'LearnerWithdrawn', 'EnrollmentCompleted', 'EnrollmentFailed');
