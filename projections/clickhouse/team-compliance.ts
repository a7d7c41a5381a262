import { addDays, type CountedReport, dayOf } from '../../packages/eventsourcing';
import { isAssigned } from '../mongo/enrollment-status';

/** A row of `team-compliance.standing.sql`. */
type Standing = readonly [person: string, last: [status: string, dueOn: string | null], lastExpiresOn: [string | null]];

const COUNTS = {
  members: 0,
  assigned: 0,
  completed: 0,
  failed: 0,
  open: 0,
  overdue: 0,
  dueSoon: 0,
  expiring: 0,
};

/** The rows of `team-compliance.report.sql` about the teams of one manager. */
export const countTeams: CountedReport['count'] = (standing, subtree, { manager, asOf, within }) => {
  const today = dayOf(asOf);
  const soon = addDays(today, Number(within));
  const teams = new Map<string, typeof COUNTS>();
  for (const [person, { lead, works }] of subtree) {
    if (!works || person === manager) continue;
    const team = teams.get(lead) ?? { ...COUNTS };
    teams.set(lead, team);
    team.members++;
    for (const row of standing.get(person) ?? []) count(team, row as Standing, today, soon);
  }
  return [...teams]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([lead, team]) => ({
      manager: lead,
      managerEmployeeNumber: subtree.get(lead)!.employeeNumber,
      ...team,
      compliance: team.assigned === 0 ? null : team.completed / team.assigned,
    }));
};

function count(team: typeof COUNTS, [, [status, dueOn], [expiresOn]]: Standing, today: string, soon: string): void {
  if (expiresOn !== null && expiresOn >= today && expiresOn <= soon) team.expiring++;
  if (!isAssigned(status)) return;
  team.assigned++;
  team[status]++;
  if (status !== 'open' || dueOn === null) return;
  if (dueOn < today) team.overdue++;
  else if (dueOn <= soon) team.dueSoon++;
}
