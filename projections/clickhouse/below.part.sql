-- {manager}, everybody below, and how far; with {scope} 'direct' only who reports to {manager}. Nobody when {manager} is ''.
below AS
(
    SELECT {manager:String} AS root, toUUIDOrZero(root) AS person, 0 AS depth
    WHERE {manager:String} != ''
    UNION ALL
    SELECT below.root AS root, line.person AS person, below.depth + 1 AS depth
    FROM
    (
        SELECT manager, person, argMax(joined, position) AS is_member
        FROM team_lines
        WHERE tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}
          AND manager IN (SELECT person FROM below)
        GROUP BY manager, person
        HAVING is_member
    ) AS line
    INNER JOIN below ON below.person = line.manager
    WHERE below.depth < if({scope:String} = 'direct', 1, 32)
)
