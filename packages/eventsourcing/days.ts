/** The day so many days later, or earlier. @param day ISO 8601 date */
export function addDays(day: string, days: number): string {
  const moved = new Date(`${day}T00:00:00.000Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** An ISO 8601 duration of years, months and days, of which one at least is not zero: `P6Y`, `P1Y6M`, `P90D`. */
export const PERIOD = /^P(?=.*[1-9])(?:(\d{1,2})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?$/;

/**
 * The day that a period after another ends: years and months first, to the last day of a shorter month, then days.
 * @param day ISO 8601 date
 * @param period as `PERIOD` has it
 * @throws RangeError for what is no such period
 */
export function addPeriod(day: string, period: string): string {
  const match = PERIOD.exec(period);
  if (!match) throw new RangeError(`"${period}" is no period such as P6Y, P1Y6M or P90D`);
  const [years, months, days] = match.slice(1).map((digits: string | undefined) => Number(digits ?? 0));
  const [year, month, date] = day.split('-').map(Number);
  const shorter = new Date(Date.UTC(year! + years!, month! + months!, 0)); // last day of the month that it ends in
  const last = shorter.toISOString().slice(0, 8) + String(Math.min(date!, shorter.getUTCDate())).padStart(2, '0');
  return addDays(last, days!);
}

/** The first moment of a day, UTC, in ISO 8601. */
export function startOf(day: string): string {
  return `${day}T00:00:00.000Z`;
}

/** The day of a moment, UTC. */
export function dayOf(moment: string): string {
  return moment.slice(0, 10);
}
