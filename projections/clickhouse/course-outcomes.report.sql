-- How each course went: enrollments by how they stand, attempts by how they were graded. meanScore is the mean raw score of
-- the graded attempts. Invalidated attempts do not count. With {manager} only the people below, unless {scope} is 'direct' all of them.
-- default manager
-- default scope subtree
WITH RECURSIVE
-- include below
,
-- include team
,
enrollment AS
(
    SELECT person, enrollment, any(course) AS of_course, argMax(status, position) AS standing
    FROM member_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND status != ''
      AND ({manager:String} = '' OR person IN (SELECT person FROM team))
    GROUP BY person, enrollment
),
attempt AS
(
    SELECT
        person,
        attempt,
        any(course) AS of_course,
        argMax(graded, position) AS is_graded,
        argMax(passed, position) AS is_passed,
        argMax(tuple(raw), position).1 AS last_raw
    FROM member_attempts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND ({manager:String} = '' OR person IN (SELECT person FROM team))
    GROUP BY person, attempt
    HAVING countIf(type = 'AttemptInvalidated') = 0
),
enrollments_by_course AS
(
    SELECT
        of_course AS course,
        count() AS enrolled,
        countIf(standing = 'withdrawn') AS withdrawn,
        countIf(standing = 'completed') AS completed,
        countIf(standing = 'failed') AS failed
    FROM enrollment
    GROUP BY course
),
attempts_by_course AS
(
    SELECT of_course AS course, count() AS attempts, countIf(is_graded) AS graded, countIf(is_passed) AS passed, avgOrNull(last_raw) AS meanScore
    FROM attempt
    GROUP BY course
)
SELECT
    course,
    enrolled,
    withdrawn,
    completed,
    failed,
    attempts,
    graded,
    passed,
    meanScore
FROM enrollments_by_course
FULL OUTER JOIN attempts_by_course USING (course)
ORDER BY course
SETTINGS optimize_aggregation_in_order = 1
