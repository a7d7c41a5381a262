-- One row per attempt event: recorded (graded or not yet) and graded later.
CREATE TABLE IF NOT EXISTS attempt_facts
(
    tenant      LowCardinality(String),
    course      LowCardinality(String),
    attempt     UUID,
    person      UUID,
    assessment  LowCardinality(String),
    graded      Bool,
    passed      Bool,
    raw         Nullable(Float64),
    scaled      Nullable(Float64),
    occurred_at DateTime64(3, 'UTC'),
    position    UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, course, attempt, position);

-- derive from AttemptRecorded, AttemptGraded
INSERT INTO attempt_facts
SELECT
    tenant,
    JSONExtractString(data, 'course'),
    toUUIDOrZero(JSONExtractString(data, 'attempt')),
    toUUIDOrZero(JSONExtractString(data, 'person')),
    JSONExtractString(data, 'assessment'),
    JSONType(data, 'grade') = 'Object',
    JSONExtractBool(data, 'grade', 'passed'),
    JSONExtract(data, 'grade', 'raw', 'Nullable(Float64)'),
    JSONExtract(data, 'grade', 'scaled', 'Nullable(Float64)'),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type IN ('AttemptRecorded', 'AttemptGraded');
