-- One row per event of a person, with what that event says; null where it says nothing. No names or e-mail addresses. Facts arrive in any
-- order: what holds is the newest by (occurred_at, rank, position). `manager` is what the HRIS said; see reporting_line_facts.
CREATE TABLE IF NOT EXISTS person_facts
(
    tenant          LowCardinality(String),
    person          UUID,
    type            LowCardinality(String),
    -- Of facts of one day the one with the higher rank holds.
    rank            UInt8,
    employee_number Nullable(String),
    role            LowCardinality(Nullable(String)),
    org_unit        LowCardinality(Nullable(String)),
    manager         Nullable(UUID),
    occurred_at     DateTime64(3, 'UTC'),
    position        UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, person, position);

-- derive from PersonHired, PersonRehired, RoleChanged, PersonTransferred, PersonTerminated
INSERT INTO person_facts
SELECT
    tenant,
    toUUIDOrZero(JSONExtractString(data, 'person')),
    type,
    transform(type, ['PersonHired', 'PersonTerminated', 'PersonRehired'], [0, 1, 2], 1),
    JSONExtract(data, 'employeeNumber', 'Nullable(String)'),
    JSONExtract(data, 'role', 'Nullable(String)'),
    JSONExtract(data, 'orgUnit', 'Nullable(String)'),
    toUUIDOrNull(JSONExtractString(data, 'manager')),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type IN ('PersonHired', 'PersonRehired', 'RoleChanged', 'PersonTransferred', 'PersonTerminated');
