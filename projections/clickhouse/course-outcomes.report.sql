-- How each course went: enrollments by how they stand, attempts by how they were graded. meanScore is the mean raw score of
-- the graded attempts. Invalidated attempts do not count.
WITH
enrollment AS
(
    SELECT course, enrollment, argMax(status, position) AS standing
    FROM enrollment_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
    GROUP BY course, enrollment
),
attempt AS
(
    SELECT course, attempt, argMax(graded, position) AS is_graded, argMax(passed, position) AS is_passed, argMax(tuple(raw), position).1 AS last_raw
    FROM attempt_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND attempt NOT IN
      (
          SELECT attempt
          FROM attempt_invalidations
          WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      )
    GROUP BY course, attempt
),
enrollments_by_course AS
(
    SELECT
        course,
        count() AS enrolled,
        countIf(standing = 'withdrawn') AS withdrawn,
        countIf(standing = 'completed') AS completed,
        countIf(standing = 'failed') AS failed
    FROM enrollment
    GROUP BY course
),
attempts_by_course AS
(
    SELECT course, count() AS attempts, countIf(is_graded) AS graded, countIf(is_passed) AS passed, avgOrNull(last_raw) AS meanScore
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
