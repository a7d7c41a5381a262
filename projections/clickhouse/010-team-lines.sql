-- Reporting lines as the reports walk them, from a manager down: one row when somebody joins the manager's team, and one for every
-- earlier manager of theirs when they join another. The newest row of manager and person says whether they are in the team, for any
-- day and any place in the log, without a look at the person's other rows: that is one short range per manager and level.
-- Primary key and merges as in 009-member-facts.sql.
-- version 3
CREATE TABLE IF NOT EXISTS team_lines
(
    tenant      LowCardinality(String),
    manager     UUID,
    person      UUID,
    joined      Bool,
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    position    UInt64 CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (tenant, manager)
ORDER BY (tenant, manager, person, position)
SETTINGS index_granularity = 128, min_compress_block_size = 4096, max_compress_block_size = 65536,
    min_age_to_force_merge_seconds = 86400;

-- derive from ReportingLineChanged
INSERT INTO team_lines
WITH
changed AS
(
    SELECT tenant, person, manager, occurred_at, position
    FROM reporting_line_facts
    WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
),
line AS
(
    SELECT tenant, person, groupUniqArray((assumeNotNull(manager), position)) AS earlier
    FROM reporting_line_facts
    WHERE position <= {upTo:UInt64} AND manager IS NOT NULL AND (tenant, person) IN (SELECT tenant, person FROM changed)
    GROUP BY tenant, person
)
SELECT
    changed.tenant,
    row.1,
    changed.person,
    row.2,
    changed.occurred_at,
    changed.position
FROM changed
LEFT JOIN line ON line.tenant = changed.tenant AND line.person = changed.person
ARRAY JOIN arrayConcat(
    if(changed.manager IS NULL, [], [(assumeNotNull(changed.manager), true)]),
    arrayMap(
        former -> (former, false),
        arrayDistinct(arrayMap(
            held -> held.1,
            arrayFilter(held -> held.2 < changed.position AND NOT ifNull(held.1 = changed.manager, false), line.earlier))))) AS row;
