-- Which build of each derived table is read, and what is on its way to take its place: one row for each step of a build, of which the
-- highest step counts.
CREATE TABLE IF NOT EXISTS table_builds
(
    table_name  LowCardinality(String),
    build       UInt32,
    -- The build whose rows it goes back to; 0 where they are made anew.
    returns_to  UInt32,
    version     UInt32,
    -- 'asked', 'catching-up', 'joining', and 'live' once it has taken its place.
    phase       LowCardinality(String),
    -- Up to where it has its rows.
    position    UInt64,
    -- Up to where the one that it takes the place of had its rows.
    left_at     UInt64,
    started_at  DateTime64(3, 'UTC'),
    switched_at Nullable(DateTime64(3, 'UTC')),
    -- How it compared with the one that it took the place of, as JSON; '' where they were not of one version.
    compared    String,
    step        UInt32
)
ENGINE = ReplacingMergeTree(step)
ORDER BY (table_name, build);
