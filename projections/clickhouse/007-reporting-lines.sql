-- One row per person and change of whom they report to. Of two rows the one with the higher position holds from its day on, so that
-- argMax(manager, position) over the rows up to a day says who reported to whom on it.
CREATE TABLE IF NOT EXISTS reporting_line_facts
(
    tenant      LowCardinality(String),
    person      UUID,
    manager     Nullable(UUID),
    -- 'hr', or 'manager-left' when the manager before had left.
    reason      LowCardinality(String),
    occurred_at DateTime64(3, 'UTC'),
    position    UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, person, position);

-- derive from ReportingLineChanged
INSERT INTO reporting_line_facts
SELECT
    tenant,
    toUUIDOrZero(arrayJoin(JSONExtract(data, 'people', 'Array(String)'))),
    toUUIDOrNull(JSONExtractString(data, 'manager')),
    JSONExtractString(data, 'reason', 'kind'),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type = 'ReportingLineChanged';
