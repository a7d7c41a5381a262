-- Attempts taken here become facts when they end: submitted or timed out, not yet graded; and when a score is overridden. Their
-- grades come by 003. An attempt that is only started is no fact.

-- derive from AttemptSubmitted, AttemptTimedOut, ScoreOverridden
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
  AND type IN ('AttemptSubmitted', 'AttemptTimedOut', 'ScoreOverridden');
