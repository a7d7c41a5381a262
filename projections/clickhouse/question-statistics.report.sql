-- How each question did in the graded attempts that count: `difficulty` is the mean share of its points that was earned (1: everybody had
-- it right), `discrimination` the correlation of that share with the share earned on the other questions of the same attempt;
-- null where either does not vary. With {manager} only attempts of the people below, unless {scope} is 'direct' all of them.
-- default manager
-- default scope subtree
-- default course
WITH RECURSIVE
-- include below
,
-- include team
,
counted AS
(
    SELECT person, attempt
    FROM member_attempts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND ({course:String} = '' OR course = {course:String})
      AND ({manager:String} = '' OR person IN (SELECT person FROM team))
    GROUP BY person, attempt
    HAVING argMax(graded, position) AND countIf(type = 'AttemptInvalidated') = 0
),
result AS
(
    SELECT
        any(course) AS of_course,
        assessment,
        question,
        attempt,
        argMax(points, position) AS earned,
        argMax(max, position) AS possible
    FROM question_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND ({course:String} = '' OR course = {course:String})
      AND attempt IN (SELECT attempt FROM counted)
    GROUP BY assessment, question, attempt
),
shared AS
(
    SELECT
        of_course,
        assessment,
        question,
        earned,
        possible,
        if(possible = 0, 0, round(earned / possible, 9)) AS share,
        sum(earned) OVER (PARTITION BY attempt) - earned AS rest_earned,
        sum(possible) OVER (PARTITION BY attempt) - possible AS rest_possible,
        if(rest_possible = 0, 0, round(rest_earned / rest_possible, 9)) AS rest_share
    FROM result
)
SELECT
    of_course AS course,
    assessment,
    question,
    count() AS attempts,
    avg(earned) AS meanPoints,
    max(possible) AS maxPoints,
    avg(share) AS difficulty,
    if(min(share) = max(share) OR min(rest_share) = max(rest_share), NULL, round(corrStable(share, rest_share), 9) + 0) AS discrimination
FROM shared
GROUP BY course, assessment, question
ORDER BY course, assessment, question
