import { IsISO8601, isISO8601, IsNumber, Matches, Max, Min } from 'class-validator';
import { PERIOD } from '../eventsourcing';

/** Years that every store holds: ClickHouse's types for moments and days reach from 1900 to 2299. */
const DAY = '(?:19|20|21)\\d{2}-\\d{2}-\\d{2}';
const DAYS = new RegExp(`^${DAY}$`);
const MOMENTS = new RegExp(`^${DAY}(?:T\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?(?:Z|[+-]\\d{2}:\\d{2}))?$`);
/** Far beyond any score, and far from where floating point loses whole numbers. */
const LARGEST = 1e9;

/** A calendar date, `2026-03-01`, from 1900 to 2199. */
export function IsDay(): PropertyDecorator {
  return all(
    Matches(DAYS, { message: '$property must be a date such as 2026-03-01, from 1900 to 2199' }),
    IsISO8601({ strict: true }, { message: '$property must be a day that exists' }),
  );
}

/** A calendar date, or a moment with its offset from UTC, `2026-03-01T09:30:00Z`, from 1900 to 2199. */
export function IsMoment(): PropertyDecorator {
  return all(
    Matches(MOMENTS, {
      message: '$property must be a date or a time with its offset, such as 2026-03-01T09:30:00Z, from 1900 to 2199',
    }),
    IsISO8601({ strict: true }, { message: '$property must be a day that exists' }),
  );
}

/** Whether a text is such a moment. */
export function isMoment(text: string): boolean {
  return MOMENTS.test(text) && isISO8601(text, { strict: true });
}

/** An ISO 8601 duration of years, months and days, `P6Y`. */
export function IsPeriod(): PropertyDecorator {
  return Matches(PERIOD, {
    message: '$property must be an ISO 8601 duration in years, months and days, such as P6Y or P18M',
  });
}

/** A finite number within a billion of zero. */
export function IsQuantity(): PropertyDecorator {
  return all(IsNumber(), Min(-LARGEST), Max(LARGEST));
}

function all(...decorators: readonly PropertyDecorator[]): PropertyDecorator {
  return (target, property) => {
    for (const decorate of decorators) decorate(target, property);
  };
}
