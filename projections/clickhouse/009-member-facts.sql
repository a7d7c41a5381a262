-- What the reports about people are read from: everything that says how one person stands, in one place. Facts of the person
-- themselves (employment, unit, whom they report to) have a zero `enrollment`; the others are facts of that enrollment.
-- A report knows its people first, so the order key begins with the person: a team is a few short ranges of the table however large
-- the table is, and short granules in small compressed blocks keep each of them short. A person has few facts, so argMax over them is cheap for any day
-- and any place in the log, and no current state has to be kept. Not partitioned: no report asks for a span of time.
-- The primary key is no longer than what reports look for, since every id is held against it in every part. Each part is another short range for
-- each person, so what has lain for a day becomes one part; since that is new then, a table is merged so at most once a day.
-- version 3
CREATE TABLE IF NOT EXISTS member_facts
(
    tenant          LowCardinality(String),
    person          UUID,
    enrollment      UUID,
    course          LowCardinality(String),
    type            LowCardinality(String),
    -- As in enrollment_facts; '' for what does not say how the enrollment stands.
    status          LowCardinality(String),
    due_on          Nullable(Date32),
    expires_on      Nullable(Date32),
    manager         Nullable(UUID),
    org_unit        LowCardinality(String),
    employee_number String,
    -- Of facts of one person and day the one with the higher rank holds.
    rank            UInt8,
    effective_on    Date32,
    occurred_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    position        UInt64 CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (tenant, person)
ORDER BY (tenant, person, enrollment, position)
SETTINGS index_granularity = 128, min_compress_block_size = 4096, max_compress_block_size = 65536,
    min_age_to_force_merge_seconds = 86400;

-- derive from PersonHired, PersonRehired, PersonTransferred, PersonTerminated, ReportingLineChanged, LearnerEnrolled, RequirementAdded, RequirementEnded, DueDateMoved, LearnerExempted, LearnerWithdrawn, EnrollmentCompleted, EnrollmentFailed, EnrollmentSuperseded, LearnerCertified, CertificationRenewed, CertificationExpired
INSERT INTO member_facts
SELECT
    tenant,
    toUUIDOrZero(arrayJoin(if(
        type = 'ReportingLineChanged',
        JSONExtract(data, 'people', 'Array(String)'),
        [JSONExtractString(data, 'person')]))),
    toUUIDOrZero(JSONExtractString(data, 'enrollment')),
    JSONExtractString(data, 'course'),
    type,
    multiIf(
        type = 'EnrollmentCompleted' OR (type = 'LearnerWithdrawn' AND JSONExtractBool(data, 'certified')), 'completed',
        type = 'LearnerWithdrawn', 'withdrawn',
        type = 'EnrollmentFailed', 'failed',
        type = 'LearnerExempted', 'exempted',
        type = 'CertificationExpired' AND NOT JSONExtractBool(data, 'open'), 'expired',
        type IN ('LearnerEnrolled', 'DueDateMoved', 'EnrollmentSuperseded', 'RequirementAdded', 'RequirementEnded'), 'open',
        ''),
    toDate32OrNull(JSONExtractString(data, 'dueOn')),
    -- An expired or superseded certificate is none.
    if(type IN ('LearnerCertified', 'CertificationRenewed'), toDate32OrNull(JSONExtractString(data, 'expiresOn')), NULL),
    toUUIDOrNull(JSONExtractString(data, 'manager')),
    JSONExtractString(data, 'orgUnit'),
    JSONExtractString(data, 'employeeNumber'),
    transform(type, ['PersonHired', 'PersonTerminated', 'PersonRehired'], [0, 1, 2], 1),
    ifNull(toDate32OrNull(JSONExtractString(data, 'effectiveOn')), toDate32(occurred_at)),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND (type IN ('PersonHired', 'PersonRehired', 'PersonTransferred', 'PersonTerminated', 'ReportingLineChanged',
                'LearnerEnrolled', 'DueDateMoved', 'LearnerExempted', 'LearnerWithdrawn', 'EnrollmentCompleted', 'EnrollmentFailed',
                'EnrollmentSuperseded', 'LearnerCertified', 'CertificationRenewed', 'CertificationExpired')
       -- These leave an enrollment that is over as it is.
       OR (type IN ('RequirementAdded', 'RequirementEnded') AND JSONExtractBool(data, 'open')));
