-- Everybody whom the report is about: the people below {manager} who work here, or all who have one; and {manager} themselves and
-- those who left, who do not count. How they stand, with each of their enrollments.
standing AS
(
    SELECT
        person,
        enrollment,
        any(course) AS of_course,
        argMaxIf((status, due_on), position, status != '') AS last,
        last.1 AS last_status,
        -- Of what is not open any more it does not matter.
        last.2 AS last_due_on,
        argMaxIf(
            tuple(expires_on),
            position,
            type IN ('EnrollmentCompleted', 'LearnerCertified', 'CertificationRenewed', 'CertificationExpired', 'EnrollmentSuperseded')).1 AS last_expires_on,
        argMaxIf(tuple(manager), position, type = 'ReportingLineChanged').1 AS reports_to,
        argMaxIf(employee_number, position, type = 'PersonHired') AS number,
        argMaxIf(
            org_unit,
            (effective_on, type = 'PersonTransferred', position),
            type IN ('PersonHired', 'PersonRehired', 'PersonTransferred')) AS unit,
        argMaxIf(type, (effective_on, rank, position), type IN ('PersonHired', 'PersonRehired', 'PersonTerminated')) AS employment,
        enrollment = toUUIDOrZero('') AS is_person,
        toDate32({asOf:DateTime64(3, 'UTC')}) AS today,
        last_status = 'open' AND ifNull(last_due_on < today, false) AS is_overdue,
        last_status = 'open' AND ifNull(last_due_on BETWEEN today AND today + {within:UInt16}, false) AS is_due_soon,
        ifNull(last_expires_on BETWEEN today AND today + {within:UInt16}, false) AS is_expiring
    FROM member_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND ({manager:String} = '' OR person IN (SELECT person FROM below))
    GROUP BY person, enrollment
),
member AS
(
    SELECT
        person,
        anyIf(tuple(reports_to), is_person).1 AS boss,
        anyIf(number, is_person) AS employee_number,
        anyIf(unit, is_person) AS org_unit,
        anyIf(employment, is_person) IN ('PersonHired', 'PersonRehired')
            AND boss IS NOT NULL
            AND toString(person) != {manager:String} AS counts,
        countIf(last_status IN ('open', 'completed', 'failed')) AS assigned,
        countIf(last_status = 'completed') AS completed,
        countIf(last_status = 'failed') AS failed,
        countIf(last_status = 'open') AS open,
        countIf(is_overdue) AS overdue,
        countIf(is_due_soon) AS due_soon,
        countIf(is_expiring) AS expiring,
        groupArrayIf((of_course, last_status, last_due_on, last_expires_on, is_overdue, is_due_soon, is_expiring), NOT is_person) AS enrollments
    FROM standing
    GROUP BY person
)
