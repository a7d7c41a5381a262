-- One row per certificate earned, renewed or expired. A certificate counts up to and on `expires_on`.
CREATE TABLE IF NOT EXISTS certification_facts
(
    tenant           LowCardinality(String),
    course           LowCardinality(String),
    enrollment       UUID,
    person           UUID,
    -- 'certified', 'renewed' or 'expired'.
    change           LowCardinality(String),
    certified_on     Nullable(Date32),
    expires_on       Date32,
    renewal_opens_on Nullable(Date32),
    occurred_at      DateTime64(3, 'UTC'),
    position         UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, course, enrollment, position);

-- derive from LearnerCertified, CertificationRenewed, CertificationExpired
INSERT INTO certification_facts
SELECT
    tenant,
    JSONExtractString(data, 'course'),
    toUUIDOrZero(JSONExtractString(data, 'enrollment')),
    toUUIDOrZero(JSONExtractString(data, 'person')),
    transform(type, ['LearnerCertified', 'CertificationRenewed', 'CertificationExpired'], ['certified', 'renewed', 'expired'], ''),
    toDate32OrNull(JSONExtractString(data, 'certifiedOn')),
    toDate32OrZero(JSONExtractString(data, 'expiresOn')),
    toDate32OrNull(JSONExtractString(data, 'renewalOpensOn')),
    occurred_at,
    position
FROM events
WHERE position > {after:UInt64} AND position <= {upTo:UInt64}
  AND type IN ('LearnerCertified', 'CertificationRenewed', 'CertificationExpired');
