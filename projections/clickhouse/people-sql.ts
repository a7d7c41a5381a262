import type { ReportSql } from '../../packages/eventsourcing';

const FACTS_SO_FAR =
  "tenant = {tenant:String} AND occurred_at <= {asOf:DateTime64(3, 'UTC')} AND position <= {upTo:UInt64}";
const CHANGED = 'tenant = {tenant:String} AND position > {after:UInt64} AND position <= {upTo:UInt64}';

/** Which builds made the rows of these tables: their comments say so. */
const BUILDS = `
        SELECT arrayStringConcat(arraySort(groupArray(name || '=' || comment)), ' ') FROM system.tables
        WHERE database = currentDatabase() AND name IN ('team_lines', 'person_facts', 'member_facts')`;

/** Who reports to whom and works here, as below.part.sql and member.part.sql say it, for whoever remembers the answers. */
export const peopleSql: ReportSql['people'] = {
  teams: `
    SELECT toString(manager) AS manager, groupArray(toString(person)) AS people
    FROM
    (
        SELECT manager, person
        FROM team_lines
        WHERE ${FACTS_SO_FAR} AND manager IN {ids:Array(UUID)}
        GROUP BY manager, person
        HAVING argMax(joined, position)
    )
    GROUP BY manager`,
  facts: `
    SELECT
        toString(member_facts.person) AS person,
        CAST(argMax(type, (effective_on, rank, position)) != 'PersonTerminated', 'Bool') AS works,
        argMaxIf(employee_number, position, type = 'PersonHired') AS employeeNumber
    FROM member_facts
    WHERE ${FACTS_SO_FAR} AND member_facts.person IN {ids:Array(UUID)}
      AND type IN ('PersonHired', 'PersonRehired', 'PersonTerminated')
    GROUP BY member_facts.person`,
  changes: `
    SELECT
        groupUniqArrayIf({most:UInt64})(id, is_line) AS managers,
        groupUniqArrayIf({most:UInt64})(id, NOT is_line) AS people,
        toString(max(occurred_at)) AS latest,
        (${BUILDS}) AS builds
    FROM
    (
        SELECT true AS is_line, manager AS id, occurred_at FROM team_lines WHERE ${CHANGED}
        UNION ALL
        SELECT false AS is_line, person AS id, occurred_at FROM person_facts WHERE ${CHANGED}
    )`,
};
