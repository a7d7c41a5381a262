-- One row per event that counts for an attempt, by person: what attempt_facts and attempt_invalidations hold, for reports about a
-- team. Grouping by person and attempt follows the order key, so that a report over everybody runs through the table in bounded memory.
-- Primary key and merges as in 009-member-facts.sql.
-- version 3
CREATE TABLE IF NOT EXISTS member_attempts
(
    tenant      LowCardinality(String),
    person      UUID,
    attempt     UUID,
    course      LowCardinality(String),
    assessment  LowCardinality(String),
    type        LowCardinality(String),
    graded      Bool,
    passed      Bool,
    raw         Nullable(Float64),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    position    UInt64 CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (tenant, person)
ORDER BY (tenant, person, attempt, position)
SETTINGS index_granularity = 256, min_compress_block_size = 8192, max_compress_block_size = 65536,
    min_age_to_force_merge_seconds = 86400;

-- derive from AttemptRecorded, AttemptSubmitted, AttemptTimedOut, AttemptGraded, ScoreOverridden, AttemptInvalidated
INSERT INTO member_attempts
SELECT
    tenant,
    toUUIDOrZero(JSONExtractString(data, 'person')),
    toUUIDOrZero(JSONExtractString(data, 'attempt')),
    JSONExtractString(data, 'course'),
    JSONExtractString(data, 'assessment'),
    type,
    JSONType(data, 'grade') = 'Object',
    JSONExtractBool(data, 'grade', 'passed'),
    JSONExtract(data, 'grade', 'raw', 'Nullable(Float64)'),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type IN ('AttemptRecorded', 'AttemptSubmitted', 'AttemptTimedOut', 'AttemptGraded', 'ScoreOverridden', 'AttemptInvalidated');
