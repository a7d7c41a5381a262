-- One row per question that got its points, each time it got them; the one with the highest position holds. By assessment and
-- question, which is how they are looked at.
CREATE TABLE IF NOT EXISTS question_facts
(
    tenant      LowCardinality(String),
    course      LowCardinality(String),
    assessment  LowCardinality(String),
    question    LowCardinality(String),
    attempt     UUID,
    person      UUID,
    points      Float64,
    max         Float64,
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    position    UInt64 CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, assessment, question, attempt, position);

-- derive from AnswersGraded
INSERT INTO question_facts
SELECT
    tenant,
    JSONExtractString(data, 'course'),
    JSONExtractString(data, 'assessment'),
    result.question,
    toUUIDOrZero(JSONExtractString(data, 'attempt')),
    toUUIDOrZero(JSONExtractString(data, 'person')),
    result.points,
    result.max,
    occurred_at,
    position
FROM events
ARRAY JOIN JSONExtract(data, 'results', 'Array(Tuple(question String, points Float64, max Float64))') AS result
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type = 'AnswersGraded';
