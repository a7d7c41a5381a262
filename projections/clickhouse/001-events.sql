-- The landing table: one row per event, in log order. Everything else in the warehouse is derived from it.
-- Ordered by position because loading, backfills and freshness all read a range of the log; analysts use the facts.
-- One partition, so that a batch is one part and therefore whole or absent.
CREATE TABLE IF NOT EXISTS events
(
    position       UInt64 CODEC(Delta, ZSTD),
    tenant         LowCardinality(String),
    category       LowCardinality(String),
    stream         String CODEC(ZSTD),
    revision       UInt32,
    type           LowCardinality(String),
    id             UUID,
    data           String CODEC(ZSTD),
    actor          String CODEC(ZSTD),
    via            LowCardinality(String),
    command_id     String CODEC(ZSTD),
    correlation_id String CODEC(ZSTD),
    causation_id   String CODEC(ZSTD),
    occurred_at    DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    recorded_at    DateTime64(3, 'UTC') CODEC(Delta, ZSTD)
)
ENGINE = MergeTree
ORDER BY position;

-- How far each derived table has come. The newest row of a name counts.
CREATE TABLE IF NOT EXISTS watermarks
(
    name     LowCardinality(String),
    position UInt64
)
ENGINE = ReplacingMergeTree(position)
ORDER BY name;
