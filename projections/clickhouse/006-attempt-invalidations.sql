-- One row per invalidated attempt. Kept apart from the facts, which stay true of what happened: a report leaves out the attempts
-- that stood invalidated at its date.
CREATE TABLE IF NOT EXISTS attempt_invalidations
(
    tenant      LowCardinality(String),
    course      LowCardinality(String),
    attempt     UUID,
    person      UUID,
    assessment  LowCardinality(String),
    reason      String,
    occurred_at DateTime64(3, 'UTC'),
    position    UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, course, attempt, position);

-- derive from AttemptInvalidated
INSERT INTO attempt_invalidations
SELECT
    tenant,
    JSONExtractString(data, 'course'),
    toUUIDOrZero(JSONExtractString(data, 'attempt')),
    toUUIDOrZero(JSONExtractString(data, 'person')),
    JSONExtractString(data, 'assessment'),
    JSONExtractString(data, 'reason'),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type = 'AttemptInvalidated';
