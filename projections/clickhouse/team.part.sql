-- The ids of the people whom the report is about: those below {manager} who work here.
team AS
(
    SELECT person
    FROM member_facts
    WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
      AND person IN (SELECT person FROM below WHERE depth > 0)
      AND type IN ('PersonHired', 'PersonRehired', 'PersonTerminated')
    GROUP BY person
    HAVING argMax(type, (effective_on, rank, position)) != 'PersonTerminated'
)
