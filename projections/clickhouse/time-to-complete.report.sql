-- How long those who completed a course had been enrolled in it, in whole days from the newest enrollment to the completion.
-- Completions of somebody who was not enrolled then do not count. {manager} and {scope} as in course-outcomes.
-- default manager
-- default scope subtree
WITH RECURSIVE
-- include below
,
-- include team
,
enrollment AS
(
    SELECT
        person,
        enrollment,
        any(course) AS of_course,
        maxIf(position, type = 'LearnerEnrolled') AS enrolled_at,
        maxIf(position, type = 'EnrollmentCompleted') AS completed_at,
        dateDiff(
            'day',
            argMaxIf(occurred_at, position, type = 'LearnerEnrolled'),
            argMaxIf(occurred_at, position, type = 'EnrollmentCompleted')) AS days
    FROM member_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND status != ''
      AND ({manager:String} = '' OR person IN (SELECT person FROM team))
    GROUP BY person, enrollment
    HAVING enrolled_at > 0 AND completed_at > enrolled_at AND argMax(status, position) = 'completed'
)
SELECT
    of_course AS course,
    count() AS completed,
    avg(days) AS meanDays,
    quantileExactLow(0.5)(days) AS medianDays,
    quantileExactLow(0.9)(days) AS p90Days,
    max(days) AS maxDays
FROM enrollment
GROUP BY course
ORDER BY course
SETTINGS optimize_aggregation_in_order = 1
