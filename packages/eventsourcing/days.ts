/** The day so many days later, or earlier. @param day ISO 8601 date */
export function addDays(day: string, days: number): string {
  const moved = new Date(`${day}T00:00:00.000Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** The first moment of a day, UTC, in ISO 8601. */
export function startOf(day: string): string {
  return `${day}T00:00:00.000Z`;
}

/** The day of a moment, UTC. */
export function dayOf(moment: string): string {
  return moment.slice(0, 10);
}
